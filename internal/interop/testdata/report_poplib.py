"""Fetches and deletes a maildrop with Python's poplib: security auth host port
user cafile folder, the password on standard input. What poplib leaves to its
caller is done as its documentation does it.
"""

import poplib
import ssl
import sys

security, auth, host, port, user, cafile, folder = sys.argv[1:]
password = sys.stdin.readline().rstrip("\n")
context = ssl.create_default_context(cafile=cafile)

if security == "tls":
    box = poplib.POP3_SSL(host, int(port), context=context, timeout=10)
else:
    box = poplib.POP3(host, int(port), timeout=10)
if security == "stls":
    box.stls(context)
try:
    if "UTF8" in box.capa():
        box.utf8()
except poplib.error_proto:
    pass
if auth == "APOP":
    box.apop(user, password)
else:
    box.user(user)
    box.pass_(password)
count, _ = box.stat()
box.list()
failed = False
for number in range(1, count + 1):
    try:
        lines = box.retr(number)[1]
    except poplib.error_proto as why:
        print("message", number, why)
        failed = True
        continue
    with open(f"{folder}/{number}", "wb") as out:
        for line in lines:
            out.write(line + b"\r\n")
    box.dele(number)
box.quit()
sys.exit(failed)
