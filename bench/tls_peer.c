/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_peer.c - TLS 1.3 over TCP with OpenSSL, doing what weft_peer does: the peer of the
 * benchmarks. ChaCha20-Poly1305, an Ed25519 certificate made at start, TCP_NODELAY, cubic.
 *
 *   weft-bench-tls-peer server                  prints its port, then serves one connection after
 * the other until it is ended weft-bench-tls-peer rr PORT COUNT weft-bench-tls-peer bulk PORT BYTES
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sample.h"

#define CHUNK 65536

static int die(const char *what)
{
    (void)fprintf(stderr, "weft-bench-tls-peer: %s failed\n", what);
    return 1;
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);

    (void)X509_set_version(x, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    (void)X509_set_pubkey(x, key);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bench", -1,
                                     -1, 0);
    (void)X509_set_issuer_name(x, name);
    (void)X509_sign(x, key, NULL);
    return x;
}

static SSL_CTX *make_context(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, "TLS_CHACHA20_POLY1305_SHA256") != 1)
        return NULL;
    return ctx;
}

static void tune(int fd)
{
    int one = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
}

static bool write_all(SSL *ssl, const uint8_t *data, size_t len)
{
    size_t n = 0;

    return SSL_write_ex(ssl, data, len, &n) == 1 && n == len;
}

static bool read_all(SSL *ssl, uint8_t *data, size_t len)
{
    size_t at = 0;
    size_t n = 0;

    for (; at < len; at += n) {
        if (SSL_read_ex(ssl, data + at, len - at, &n) != 1)
            return false;
    }
    return true;
}

/* The first byte says what is wanted: 'r' round trips until the end, 'b' and 8 bytes a sink of so
 * many. */
static void serve_one(SSL *ssl)
{
    static uint8_t buf[CHUNK];
    uint64_t left = 0;
    size_t n = 0;

    if (!read_all(ssl, buf, 9))
        return;
    if (buf[0] == 'r') {
        while (read_all(ssl, buf, RR_BYTES) && write_all(ssl, buf, RR_BYTES))
            continue;
        return;
    }
    memcpy(&left, buf + 1, 8);
    for (; left > 0; left -= n) {
        if (SSL_read_ex(ssl, buf, sizeof buf, &n) != 1)
            return;
    }
    (void)write_all(ssl, (const uint8_t *)"ok", 2);
}

static int serve(void)
{
    SSL_CTX *ctx = make_context(TLS_server_method());
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (ctx == NULL || key == NULL || SSL_CTX_use_certificate(ctx, make_certificate(key)) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, key) != 1)
        return die("certificate");
    if (bind(listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&a, &len) != 0)
        return die("listen");
    (void)printf("%u\n", (unsigned)ntohs(a.sin_port));
    (void)fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        SSL *ssl = SSL_new(ctx);

        if (fd < 0 || ssl == NULL)
            return die("accept");
        tune(fd);
        if (SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1)
            serve_one(ssl);
        SSL_free(ssl);
        (void)close(fd);
    }
}

static SSL *connect_to(const char *port)
{
    SSL_CTX *ctx = make_context(TLS_client_method());
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    SSL *ssl = ctx == NULL ? NULL : SSL_new(ctx);

    if (ssl == NULL)
        return NULL;
    tune(fd);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0 || SSL_set_fd(ssl, fd) != 1 ||
        SSL_connect(ssl) != 1)
        return NULL;
    return ssl;
}

static bool say(SSL *ssl, char what, uint64_t bytes)
{
    uint8_t head[9] = {(uint8_t)what};

    memcpy(head + 1, &bytes, 8);
    return write_all(ssl, head, sizeof head);
}

static int round_trips(SSL *ssl, size_t count)
{
    uint64_t *ns = calloc(count, sizeof *ns);
    uint8_t buf[RR_BYTES] = {0};

    if (ns == NULL || count == 0 || !say(ssl, 'r', 0))
        return die("rr");
    for (size_t i = 0; i < count + RR_WARM; i++) {
        uint64_t start = bench_now_ns();

        if (!write_all(ssl, buf, sizeof buf) || !read_all(ssl, buf, sizeof buf))
            return die("rr");
        if (i >= RR_WARM)
            ns[i - RR_WARM] = bench_now_ns() - start;
    }
    bench_print_rr(ns, count);
    free(ns);
    return 0;
}

static int bulk(SSL *ssl, uint64_t bytes)
{
    static uint8_t buf[CHUNK];
    uint64_t start = bench_now_ns();

    memset(buf, 0x5a, sizeof buf);
    if (!say(ssl, 'b', bytes))
        return die("bulk");
    for (uint64_t left = bytes; left > 0;) {
        size_t len = left < sizeof buf ? (size_t)left : sizeof buf;

        if (!write_all(ssl, buf, len))
            return die("bulk");
        left -= len;
    }
    if (!read_all(ssl, buf, 2))
        return die("bulk");
    bench_print_bulk(bytes, bench_now_ns() - start);
    return 0;
}

int main(int argc, char **argv)
{
    SSL *ssl = NULL;

    if (argc == 2 && strcmp(argv[1], "server") == 0)
        return serve();
    if (argc != 4)
        return die("usage: server | rr PORT COUNT | bulk PORT BYTES: this");
    ssl = connect_to(argv[2]);
    if (ssl == NULL)
        return die("connect");
    return strcmp(argv[1], "rr") == 0 ? round_trips(ssl, strtoull(argv[3], NULL, 10))
                                      : bulk(ssl, strtoull(argv[3], NULL, 10));
}
