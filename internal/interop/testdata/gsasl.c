/* One POP3 login by libgsasl over GnuTLS, for the tests of SASL: a second opinion
   about mechanisms and channel bindings that shares no code with ours.

   gsasl client PORT CAFILE PRIORITY BINDING MECHANISM USER PASSWORD
     logs in at localhost:PORT and prints the last reply.
   gsasl server CERTFILE KEYFILE PRIORITY BINDING MECHANISM USER PASSWORD
     prints "port N", serves one connection, and ends.

   PRIORITY is GnuTLS's; BINDING is tls-exporter, tls-unique
   or none. The exit code is 0
   if somebody logged in, 1 if not, 2 if it came to nothing. */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static gnutls_session_t tls;
static const char *user, *password;
static char *exporter, *unique; /* in base64; the one that is not wanted stays NULL */

static void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(2);
}

static void check(const char *what, int rc) {
  if (rc < 0) die(what, gnutls_strerror(rc));
}

static int callback(Gsasl *ctx, Gsasl_session *session, Gsasl_property p) {
  const char *value = NULL;
  (void)ctx;
  switch (p) {
  case GSASL_AUTHID: value = user; break;
  case GSASL_PASSWORD:
    value = gsasl_property_fast(session, GSASL_AUTHID);
    value = value == NULL || strcmp(value, user) == 0 ? password : NULL;
    break;
  case GSASL_CB_TLS_EXPORTER: value = exporter; break;
  case GSASL_CB_TLS_UNIQUE: value = unique; break;
  case GSASL_SERVICE: value = "pop"; break;
  case GSASL_HOSTNAME: value = "localhost"; break;
  default: break;
  }
  if (value == NULL) return GSASL_NO_CALLBACK;
  gsasl_property_set(session, p, value);
  return GSASL_OK;
}

static void handshake(int fd, gnutls_certificate_credentials_t cred, const char *priority, const char *binding, unsigned end) {
  gnutls_channel_binding_t type = strcmp(binding, "tls-unique") == 0 ? GNUTLS_CB_TLS_UNIQUE : GNUTLS_CB_TLS_EXPORTER;
  gnutls_datum_t cb;
  size_t size;
  char *b64;
  check("init", gnutls_init(&tls, end));
  check("priority", gnutls_priority_set_direct(tls, priority, NULL));
  check("credentials", gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, cred));
  if (end == GNUTLS_CLIENT) {
    check("name", gnutls_server_name_set(tls, GNUTLS_NAME_DNS, "localhost", 9));
    gnutls_session_set_verify_cert(tls, "localhost", 0);
  }
  gnutls_transport_set_int(tls, fd);
  check("handshake", gnutls_handshake(tls));
  fprintf(stderr, "%s\n", gnutls_protocol_get_name(gnutls_protocol_get_version(tls)));
  if (strcmp(binding, "none") == 0) return;
  check(binding, gnutls_session_channel_binding(tls, type, &cb));
  if (gsasl_base64_to((char *)cb.data, cb.size, &b64, &size) != GSASL_OK) die("base64", "no memory");
  *(type == GNUTLS_CB_TLS_UNIQUE ? &unique : &exporter) = b64;
}

/* say sends a line. */
static void say(const char *a, const char *b) {
  static char line[16384];
  size_t n = (size_t)snprintf(line, sizeof line, "%s%s\r\n", a, b), sent = 0;
  if (n >= sizeof line) die("line", "too long");
  while (sent < n) {
    ssize_t w = gnutls_record_send(tls, line + sent, n - sent);
    check("send", (int)w);
    sent += (size_t)w;
  }
}

/* hear returns a line without its end; at the end of the connection, NULL. */
static char *hear(void) {
  static char line[16384];
  size_t n = 0;
  while (n < sizeof line - 1) {
    ssize_t r = gnutls_record_recv(tls, line + n, 1);
    if (r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED) continue; /* a session ticket */
    if (r <= 0) return NULL;
    if (line[n++] != '\n') continue;
    n -= n > 1 && line[n - 2] == '\r' ? 2 : 1;
    line[n] = 0;
    return line;
  }
  die("line", "too long");
  return NULL;
}

static int as_client(Gsasl_session *s, const char *mechanism) {
  char *line = hear(), *out = NULL, command[64];
  int rc = GSASL_NEEDS_MORE;
  if (line == NULL || strncmp(line, "+OK", 3) != 0) die("greeting", line ? line : "none");
  snprintf(command, sizeof command, "AUTH %s", mechanism);
  say(command, "");
  while ((line = hear()) != NULL && line[0] == '+' && line[1] != 'O') {
    const char *challenge = line[1] ? line + 2 : "";
    rc = gsasl_step64(s, challenge, &out);
    if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE) {
      fprintf(stderr, "step: %s\n", gsasl_strerror(rc));
      say("*", "");
      continue;
    }
    say(out, "");
    gsasl_free(out);
  }
  printf("%s\n", line ? line : "hang-up");
  return line != NULL && strncmp(line, "+OK", 3) == 0 && rc == GSASL_OK ? 0 : 1;
}

static int as_server(Gsasl_session *s, const char *mechanism) {
  char *line, *out = NULL;
  int rc = GSASL_NEEDS_MORE;
  say("+OK libgsasl", "");
  while ((line = hear()) != NULL) {
    if (strcasecmp(line, "CAPA") == 0) {
      say("+OK", "");
      say("SASL ", mechanism);
      say(".", "");
    } else if (strncasecmp(line, "AUTH ", 5) == 0) {
      char *space = strchr(line + 5, ' '), *initial = space ? space + 1 : NULL;
      if (space) *space = 0;
      if (strcasecmp(line + 5, mechanism) != 0) {
        say("-ERR other mechanism", "");
        continue;
      }
      if (initial == NULL) {
        say("+ ", "");
        if ((initial = hear()) == NULL) return 1;
      }
      for (line = initial; line != NULL; line = hear()) {
        if (rc == GSASL_OK && line[0] == 0) break; /* the answer to server-final */
        rc = gsasl_step64(s, line, &out);
        if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE) {
          fprintf(stderr, "step: %s\n", gsasl_strerror(rc));
          say("-ERR [AUTH] ", gsasl_strerror_name(rc));
          return 1;
        }
        say("+ ", out ? out : "");
        gsasl_free(out);
        out = NULL;
      }
      if (line == NULL) return 1;
      say("+OK logged in", "");
    } else if (strcasecmp(line, "QUIT") == 0) {
      say("+OK", "");
      break;
    } else
      say("-ERR", "");
  }
  return rc == GSASL_OK ? 0 : 1;
}

int main(int argc, char **argv) {
  gnutls_certificate_credentials_t cred;
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof addr;
  Gsasl *ctx;
  Gsasl_session *session;
  int fd, code, client = argc > 1 && strcmp(argv[1], "client") == 0;
  if (argc != 9) die(argv[0], "usage: see the source");
  const char *priority = argv[4], *binding = argv[5], *mechanism = argv[6];
  user = argv[7], password = argv[8];
  alarm(60); /* whatever happens */
  if (gsasl_init(&ctx) != GSASL_OK) die("gsasl", "init");
  gsasl_callback_set(ctx, callback);
  check("credentials", gnutls_certificate_allocate_credentials(&cred));
  if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0) die("socket", "none");
  if (client) {
    addr.sin_port = htons((unsigned short)atoi(argv[2]));
    check("ca", gnutls_certificate_set_x509_trust_file(cred, argv[3], GNUTLS_X509_FMT_PEM));
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) != 0) die("connect", "refused");
    handshake(fd, cred, priority, binding, GNUTLS_CLIENT);
    if (gsasl_client_start(ctx, mechanism, &session) != GSASL_OK) die(mechanism, "not known");
    code = as_client(session, mechanism);
  } else {
    check("certificate", gnutls_certificate_set_x509_key_file(cred, argv[2], argv[3], GNUTLS_X509_FMT_PEM));
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(fd, 1) != 0) die("listen", "refused");
    getsockname(fd, (struct sockaddr *)&addr, &size);
    printf("port %d\n", ntohs(addr.sin_port));
    fflush(stdout);
    if ((fd = accept(fd, NULL, NULL)) < 0) die("accept", "refused");
    handshake(fd, cred, priority, binding, GNUTLS_SERVER);
    if (gsasl_server_start(ctx, mechanism, &session) != GSASL_OK) die(mechanism, "not known");
    code = as_server(session, mechanism);
  }
  gnutls_bye(tls, GNUTLS_SHUT_WR);
  return code;
}
