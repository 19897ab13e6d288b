/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples.h - golden bytes of every packet of the handshake, written by hand from
 * docs/spec/1-handshake.md. The tests compare the codecs with them and fuzz/wire_corpus.py takes
 * its first inputs from here. Never change them to make a test pass: a difference is a change of
 * the wire format.
 */
#ifndef WEFT_TESTS_WIRE_SAMPLES_H
#define WEFT_TESTS_WIRE_SAMPLES_H

/* clang-format off */
#define SAMPLE_HELLO \
    "01" /* type */ \
    "0101" /* version, suite */ \
    "00" /* reserved */ \
    "a0a1a2a3" /* prefix */ \
    "101112131415161718191a1b1c1d1e1f" /* n_c */ \
    "05" /* length */ \
    "0201020107" /* lists */ \
    "0000000000000000000000000000000000000000000000000000000000000000" /* zeros */ \
    "0000000000000000000000000000000000000000000000000000000000000000" \
    "0000000000000000000000000000000000000000000000000000000000000000" \
    "0000000000000000000000000000000000000000000000000000000000000000" \
    "0000000000000000000000000000000000000000000000000000000000000000" \
    "0000000000000000000000000000000000000000000000000000000000000000" \
    "0000000000000000000000000000000000000000000000000000000000000000" \
    "0000"

/* Bytes 1 to 27 of CHALLENGE, which SOLVE and ASK say again. */
#define SAMPLE_HEAD \
    "0101" /* version, suite */ \
    "05" /* shard */ \
    "1122334455667788" /* instance */ \
    "00000102" /* epoch */ \
    "752f" /* offset 29999 */ \
    "01" /* algorithm */ \
    "20" /* ceiling */ \
    "00010000" /* effort */ \
    "0000002a" /* t_s id */

#define SAMPLE_CHALLENGE \
    "02" /* type */ \
    SAMPLE_HEAD \
    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f" /* t_s */ \
    "000000006553f100" /* not-after */ \
    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f" /* S */ \
    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f" /* signature */ \
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf" \
    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf" /* cookie */ \
    "1011121314151617" /* echo */ \
    "f0f1f2f3f4f5f6f7" /* check */ \
    "05" /* length */ \
    "0201020107" /* lists */

#define SAMPLE_SOLVE \
    "03" /* type */ \
    SAMPLE_HEAD \
    "a0a1a2a3" /* prefix */ \
    "101112131415161718191a1b1c1d1e1f" /* n_c */ \
    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf" /* cookie */ \
    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f" /* e_c */ \
    "00020000" /* bid */ \
    "0123456789abcdef" /* work nonce */ \
    "05" /* length */ \
    "0201020107" /* lists */ \
    "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0" /* box0 */ \
    "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0" \
    "b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1" /* box1 */ \
    "b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1" \
    "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2" /* box2 */ \
    "b2b2b2b2"

#define SAMPLE_CONFIRM \
    "04" /* type */ \
    "c1c2c3c4c5c6c7c8" /* connection id */ \
    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f" /* e2 */ \
    "e0e1e2e3e4e5e6e7e8e9eaebecedeeef" /* random */ \
    "b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3" /* box3 */

#define SAMPLE_HINT \
    "05" /* type */ \
    "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf" /* tag */

#define SAMPLE_ASK \
    "06" /* type */ \
    SAMPLE_HEAD \
    "a0a1a2a3" /* prefix */ \
    "101112131415161718191a1b1c1d1e1f" /* n_c */ \
    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf" /* cookie */ \
    "00020000" /* bid */ \
    "0123456789abcdef" /* work nonce */ \
    "05" /* length */ \
    "0201020107" /* lists */ \
    "0000000000000000000000000000000000000000000000000000000000000000" /* zeros */ \
    "0000000000000000000000000000000000000000000000000000000000000000" \
    "0000000000000000000000000000000000000000000000000000000000000000" \
    "0000000000000000000000000000000000000000000000000000000000000000" \
    "0000000000000000000000000000000000000000000000000000000000000000" \
    "0000000000000000000000000000"

#define SAMPLE_STATEMENT \
    "07" /* type */ \
    "1011121314151617" /* echo */ \
    "05" /* length */ \
    "616c696365" /* alice */ \
    "0000000000000102" /* version */ \
    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f" /* owner */ \
    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f" /* key */ \
    "000000006553f100" /* not-before */ \
    "000000006553f101" /* not-after */ \
    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f" /* signature */ \
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"

/* clang-format on */

#endif
