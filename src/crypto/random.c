/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.c - start-up, the system's generator and the seeded one. It must never fall back from the
 * first to the second.
 */
#include <openssl/crypto.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"

#define BLOCK_LEN 64

/* Both libraries allow this to be called again and from several threads at once. */
weft_err wf_crypto_init(void)
{
    if (sodium_init() < 0)
        return WEFT_ERR_IO;
    if (OPENSSL_init_crypto(0, NULL) != 1)
        return WEFT_ERR_NOMEM;
    return WEFT_OK;
}

static void system_fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    randombytes_buf(out, len);
}

const struct wf_rng wf_rng_system = {.fill = system_fill, .ctx = NULL};

/* Key stream from block number counter / 64 on, len > 0. */
static void stream(const struct wf_rng_seeded *s, uint8_t *out, size_t len)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

    memset(out, 0, len);
    (void)crypto_stream_chacha20_xor_ic(out, out, len, nonce, s->counter / BLOCK_LEN, s->key);
}

/* counter is the number of bytes given out, so the bytes do not depend on how they are asked for.
 */
static void seeded_fill(void *ctx, uint8_t *out, size_t len)
{
    struct wf_rng_seeded *s = (struct wf_rng_seeded *)ctx;
    const size_t used = (size_t)(s->counter % BLOCK_LEN);

    if (used != 0) {
        uint8_t block[BLOCK_LEN];
        const size_t n = len < BLOCK_LEN - used ? len : BLOCK_LEN - used;

        stream(s, block, sizeof block);
        memcpy(out, block + used, n);
        s->counter += n;
        out += n;
        len -= n;
    }
    if (len > 0) {
        stream(s, out, len);
        s->counter += len;
    }
}

void wf_rng_seed(struct wf_rng_seeded *s, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->rng = (struct wf_rng){.fill = seeded_fill, .ctx = s};
    wf_store_u64(s->key, seed);
}
