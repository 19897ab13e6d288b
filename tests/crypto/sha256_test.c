/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256_test.c - the digests of FIPS 180-4's examples, in one piece and in any.
 */
#include "crypto/sha256.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "test.h"

static void check_digest(struct wf_sha256 *h, const char *hex)
{
    uint8_t want[WF_SHA256_LEN];
    uint8_t got[WF_SHA256_LEN];

    CHECK(wf_unhex(want, sizeof want, hex));
    wf_sha256_end(h, got);
    CHECK_MEM_EQ(got, want, sizeof got);
    wf_sha256_free(h);
}

static struct wf_sha256 *new_hash(void)
{
    struct wf_sha256 *h = NULL;

    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_sha256_new(&h));
    return h;
}

TEST(nothing_has_the_published_digest)
{
    check_digest(new_hash(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

    struct wf_sha256 *h = new_hash();
    wf_sha256_add(h, (weft_span){NULL, 0});
    check_digest(h, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    wf_sha256_free(NULL);
}

TEST(two_blocks_have_the_published_digest_wherever_they_are_cut)
{
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    const size_t len = sizeof text - 1;

    for (size_t cut = 0; cut <= len; cut++) {
        struct wf_sha256 *h = new_hash();

        wf_sha256_add(h, wf_span(text, cut));
        wf_sha256_add(h, wf_span(text + cut, len - cut));
        check_digest(h, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
}

TEST(a_million_times_a_has_the_published_digest)
{
    struct wf_sha256 *h = new_hash();
    uint8_t piece[1000];

    memset(piece, 'a', sizeof piece);
    for (int i = 0; i < 1000; i++) {
        wf_sha256_add(h, wf_span(piece, sizeof piece));
    }
    check_digest(h, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
