"""Fetches a maildrop with Python's poplib: mode host port user cafile folder,
the password on standard input. Messages go to files named by their numbers.
poplib refuses lines beyond its limit and is out of step afterwards: the script
says so and logs in again.
"""

import poplib
import ssl
import sys

mode, host, port, user, cafile, folder = sys.argv[1:]
password = sys.stdin.readline().rstrip("\n")


def login():
    context = ssl.create_default_context(cafile=cafile)
    if mode == "TLS":
        box = poplib.POP3_SSL(host, int(port), context=context)
    else:
        box = poplib.POP3(host, int(port))
    if mode == "STLS":
        box.stls(context)
    if mode == "APOP":
        box.apop(user, password)
    else:
        box.user(user)
        box.pass_(password)
    return box


box = login()
for number in range(1, box.stat()[0] + 1):
    try:
        lines = box.retr(number)[1]
    except poplib.error_proto as why:
        print("refused", number, why)
        box.close()
        box = login()
        continue
    with open(f"{folder}/{number}", "wb") as out:
        for line in lines:
            out.write(line + b"\r\n")
box.quit()
