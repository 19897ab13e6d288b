/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_file_test.c - files from node to node: whole and right under their names, or not there.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api_pair.h"
#include "base/bytes.h"

#define PATH_BYTES 512

static struct pair pair;

/* --- files here and there --- */

/* NAME in the folder of what is sent, or of what is received. Good until the fourth call after. */
static const char *path_in(const char *folder, const char *name)
{
    static char paths[4][PATH_BYTES];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, PATH_BYTES, "%s/%s", test_folder(), folder);
    (void)mkdir(path, 0700);
    (void)snprintf(path, PATH_BYTES, "%s/%s%s%s", test_folder(), folder, name[0] == '\0' ? "" : "/",
                   name);
    return path;
}

static void put_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");

    CHECK(f != NULL);
    CHECK_EQ(fwrite(data, 1, len, f), len);
    CHECK_EQ(fclose(f), 0);
}

static void check_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *got = malloc(len + 1);
    struct stat st;

    test_note("file %s", path);
    CHECK(f != NULL && got != NULL);
    CHECK_EQ(fread(got, 1, len + 1, f), len);
    CHECK_MEM_EQ(got, data, len);
    CHECK_EQ(fstat(fileno(f), &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);
    (void)fclose(f);
    free(got);
}

static unsigned entries_of(const char *folder)
{
    DIR *dir = opendir(path_in(folder, ""));
    unsigned count = 0;

    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count - 2; /* . and .. */
}

/* What was told of files. */
struct told {
    unsigned calls, progress;
    weft_file_result result;
    char name[256];
    uint64_t done, size;
    bool falls;
};

static void on_done(const weft_file_result *r, void *user)
{
    struct told *t = user;

    t->calls++;
    t->result = *r;
    (void)snprintf(t->name, sizeof t->name, "%s", r->name == NULL ? "(null)" : r->name);
}

static void on_progress(const char *name, uint64_t done, uint64_t size, void *user)
{
    struct told *t = user;

    CHECK(name != NULL && done <= size);
    t->progress++;
    t->falls = t->falls || done < t->done;
    t->done = done;
    t->size = size;
}

static weft_file_params told_params(struct told *t)
{
    weft_file_params p = WEFT_FILE_PARAMS;

    *t = (struct told){.calls = 0};
    p.on_done = on_done;
    p.on_progress = on_progress;
    p.user = t;
    return p;
}

static struct told received;

static void start_receiving(void)
{
    weft_file_params p = told_params(&received);

    pair_open(&pair);
    CHECK_OK(weft_file_receive(pair.server, path_in("in", ""), &p));
}

static void check_told(const struct told *t, weft_err err, const char *name, uint64_t size)
{
    test_note("%s, size %llu", name, (unsigned long long)size);
    CHECK_EQ(t->calls, 1);
    CHECK_EQ(t->result.err, err);
    CHECK_STR_EQ(t->name, name);
    CHECK_EQ(t->result.size, size);
    CHECK(!t->falls);
}

static void send_file(struct told *t, const char *path)
{
    weft_file_params p = told_params(t);

    received.calls = 0;
    received.falls = false;
    received.done = 0;
    CHECK_OK(weft_file_send(pair.client, pair.to, path, &p));
    pair_until(&pair, &t->calls, 1);
    pair_settle(&pair);
}

static const uint8_t digest_of_abc[WEFT_DIGEST_LEN] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};

/* --- sending --- */

TEST(a_file_that_is_sent_arrives_and_both_sides_are_told)
{
    struct told t;

    start_receiving();
    put_file(path_in("out", "a.txt"), "abc", 3);
    send_file(&t, path_in("out", "a.txt"));
    check_told(&t, WEFT_OK, "a.txt", 3);
    check_told(&received, WEFT_OK, "a.txt", 3);
    check_file(path_in("in", "a.txt"), "abc", 3);
    CHECK_EQ(entries_of("in"), 1);
    CHECK_MEM_EQ(t.result.digest, digest_of_abc, WEFT_DIGEST_LEN);
    CHECK_MEM_EQ(received.result.digest, digest_of_abc, WEFT_DIGEST_LEN);
    CHECK_EQ(t.result.moved, 3);
    CHECK_EQ(received.result.moved, 3);
    CHECK_EQ(t.result.resumed_at, 0);
    CHECK_MEM_EQ(&t.result.peer, &pair.server_key, sizeof t.result.peer);
    CHECK_MEM_EQ(&received.result.peer, &pair.client_key, sizeof t.result.peer);
    CHECK(t.result.first_reply_us > 0 && t.result.first_reply_us <= t.result.took_us);
    CHECK(t.result.handshake_us > 0);
    CHECK(t.result.first_packets > 0);
    pair_close(&pair);
}

TEST(a_file_of_any_priority_arrives_and_there_are_three)
{
    struct told t;
    weft_file_params p;

    start_receiving();
    put_file(path_in("out", "a.txt"), "abc", 3);
    for (unsigned i = WEFT_NORMAL; i <= WEFT_BACKGROUND; i++) {
        p = told_params(&t);
        p.priority = (weft_priority)i;
        CHECK_OK(weft_file_send(pair.client, pair.to, path_in("out", "a.txt"), &p));
        pair_until(&pair, &t.calls, 1);
        pair_settle(&pair);
        CHECK_OK(t.result.err);
        CHECK_EQ(entries_of("in"), i + 1);
    }
    p.priority = (weft_priority)(WEFT_BACKGROUND + 1);
    CHECK_EQ(weft_file_send(pair.client, pair.to, path_in("out", "a.txt"), &p), WEFT_ERR_USAGE);
    pair_close(&pair);
}

TEST(files_of_every_size_arrive)
{
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 3000000};

    start_receiving();
    for (size_t i = 0; i < WF_ARRAY_LEN(sizes); i++) {
        uint8_t *data = api_bytes(sizes[i]);
        char name[32];
        struct told t;

        (void)snprintf(name, sizeof name, "f%zu", sizes[i]);
        put_file(path_in("out", name), data, sizes[i]);
        send_file(&t, path_in("out", name));
        check_told(&t, WEFT_OK, name, sizes[i]);
        check_told(&received, WEFT_OK, name, sizes[i]);
        check_file(path_in("in", name), data, sizes[i]);
        CHECK_MEM_EQ(t.result.digest, received.result.digest, WEFT_DIGEST_LEN);
        CHECK(sizes[i] == 0 || t.done == sizes[i]);
        CHECK(sizes[i] == 0 || received.done == sizes[i]);
        free(data);
    }
    pair_close(&pair);
}

/* SPEC 5.3-2 */
TEST(a_file_that_exists_is_left_alone_and_the_new_one_gets_a_number)
{
    static const char *const names[] = {"a", "a.1", "a.2", "a.3"};
    struct told t;

    start_receiving();
    for (size_t i = 0; i < WF_ARRAY_LEN(names); i++) {
        put_file(path_in("out", "a"), names[i], strlen(names[i]));
        send_file(&t, path_in("out", "a"));
        check_told(&t, WEFT_OK, names[i], strlen(names[i]));
        check_told(&received, WEFT_OK, names[i], strlen(names[i]));
    }
    for (size_t i = 0; i < WF_ARRAY_LEN(names); i++)
        check_file(path_in("in", names[i]), names[i], strlen(names[i]));
    CHECK_EQ(entries_of("in"), 4);
    pair_close(&pair);
}

TEST(what_cannot_be_sent_is_refused_at_once)
{
    struct told t;
    weft_file_params p;
    weft_file_params small;

    start_receiving();
    p = told_params(&t);
    put_file(path_in("out", "a"), "abc", 3);
    put_file(path_in("out", ".weft-a"), "abc", 3);
    CHECK_EQ(weft_file_send(pair.client, pair.to, path_in("out", "b"), &p), WEFT_ERR_NOT_FOUND);
    CHECK_EQ(weft_file_send(pair.client, pair.to, path_in("out", ""), &p), WEFT_ERR_USAGE);
    CHECK_EQ(weft_file_send(pair.client, pair.to, path_in("out", ".weft-a"), &p), WEFT_ERR_USAGE);
    CHECK_EQ(weft_file_send(pair.client, pair.to, path_in("out", "a/"), &p), WEFT_ERR_USAGE);
    CHECK_EQ(weft_file_send(pair.client, pair.to, path_in("out", "a"), NULL), WEFT_ERR_USAGE);
    small = p;
    small.size--;
    CHECK_EQ(weft_file_send(pair.client, pair.to, path_in("out", "a"), &small), WEFT_ERR_USAGE);
    CHECK_EQ(weft_file_send(pair.client, "weft1", path_in("out", "a"), &p), WEFT_ERR_MALFORMED);
    CHECK(weft_node_is_idle(pair.client));
    pair_turn(&pair);
    CHECK_EQ(t.calls, 0);
    CHECK_EQ(received.calls, 0);
    pair_close(&pair);
}

/* Where nobody listens any more. */
static void nobody_at(char to[API_TO_MAX])
{
    weft_node *n = api_node(NULL);

    api_name(to, n);
    weft_node_close(n);
}

TEST(a_file_to_nobody_or_to_who_takes_none_fails_once)
{
    struct told t;
    weft_file_params p = told_params(&t);
    char dead[API_TO_MAX];

    pair_open_with(&pair, NULL, NULL);
    put_file(path_in("out", "a"), "abc", 3);
    p.reach_within_ms = 50;
    nobody_at(dead);
    CHECK_OK(weft_file_send(pair.client, dead, path_in("out", "a"), &p));
    pair_until(&pair, &t.calls, 1);
    check_told(&t, WEFT_ERR_UNREACHABLE, "a", 3);
    CHECK_OK(weft_node_serve(pair.server, "other", on_echo, NULL));
    send_file(&t, path_in("out", "a"));
    check_told(&t, WEFT_ERR_REFUSED, "a", 3);
    CHECK_OK(weft_file_receive(pair.server, path_in("in", ""), NULL));
    send_file(&t, path_in("out", "a"));
    check_told(&t, WEFT_ERR_DENIED, "a", 3);
    CHECK_OK(weft_node_allow(pair.server, NULL, "file.offer"));
    send_file(&t, path_in("out", "a"));
    check_told(&t, WEFT_ERR_DENIED, "a", 3);
    CHECK_OK(weft_node_allow(pair.server, NULL, "file.put"));
    CHECK_EQ(entries_of("in"), 0);
    send_file(&t, path_in("out", "a"));
    check_told(&t, WEFT_OK, "a", 3);
    pair_close(&pair);
}

TEST(a_node_receives_into_one_folder_which_it_makes)
{
    struct stat st;
    char path[PATH_BYTES];

    pair_open(&pair);
    (void)snprintf(path, sizeof path, "%s/made/here", test_folder());
    put_file(path_in("out", "file"), "", 0);
    CHECK(weft_file_receive(pair.server, path_in("out", "file"), NULL) != WEFT_OK);
    CHECK_OK(weft_file_receive(pair.server, path, NULL));
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0700);
    CHECK_EQ(weft_file_receive(pair.server, path_in("in", ""), NULL), WEFT_ERR_EXISTS);
    pair_close(&pair);
}

/* --- what a hostile sender says --- */

/* name (len8) | size | modified | offset | bytes | digest */
static size_t write_put(uint8_t *out, const char *name, uint64_t size, uint64_t offset)
{
    size_t len = strlen(name);

    out[0] = (uint8_t)len;
    memcpy(out + 1, name, len);
    wf_store_u64(out + 1 + len, size);
    wf_store_u64(out + 9 + len, 1);
    wf_store_u64(out + 17 + len, offset);
    memcpy(out + 25 + len, "abc", 3);
    memcpy(out + 28 + len, digest_of_abc, WEFT_DIGEST_LEN);
    return 28 + len + WEFT_DIGEST_LEN;
}

static struct fate put_bytes(const char *service, const uint8_t *data, size_t len)
{
    struct fate f;
    weft_send_params s = fate_params(&pair, &f, service);

    s.body = weft_body_span(data, len);
    fate_of(&pair, &f, &s);
    return f;
}

static bool was_taken(const struct fate *f)
{
    return f->kind == WEFT_REPLIED && f->reply_len > 0 && f->reply[0] == 0;
}

TEST(a_file_put_by_hand_is_taken_when_it_is_right)
{
    uint8_t body[512];
    struct fate f;

    start_receiving();
    f = put_bytes("file.put", body, write_put(body, "x", 3, 0));
    CHECK(was_taken(&f));
    CHECK_EQ(f.reply_len, 3);
    CHECK_MEM_EQ(f.reply, "\0\001x", 3);
    check_file(path_in("in", "x"), "abc", 3);
    pair_close(&pair);
}

/* SPEC 5.3-4 */
TEST(a_file_whose_digest_is_wrong_leaves_nothing)
{
    uint8_t body[512];
    size_t len = write_put(body, "x", 3, 0);
    struct fate f;

    start_receiving();
    for (size_t i = 29; i < len; i += 7) {
        body[i] ^= 1;
        f = put_bytes("file.put", body, len);
        body[i] ^= 1;
        CHECK_EQ(f.kind, WEFT_REPLIED);
        CHECK_EQ(f.reply[0], WEFT_ERR_CRYPTO);
        CHECK_EQ(f.reply_len, 1);
        CHECK_EQ(received.result.err, WEFT_ERR_CRYPTO);
    }
    CHECK_EQ(entries_of("in"), 0);
    pair_close(&pair);
}

/* SPEC 5.3-3 */
TEST(a_name_that_is_no_name_makes_no_file)
{
    static const char *const names[] = {"",    ".",       "..",   "../x", "/x",
                                        "a/b", ".weft-x", "a\nb", "\x7f", "x/"};
    uint8_t body[512];

    start_receiving();
    for (size_t i = 0; i < WF_ARRAY_LEN(names); i++) {
        struct fate f = put_bytes("file.put", body, write_put(body, names[i], 3, 0));

        test_note("name %zu", i);
        CHECK(!was_taken(&f));
        f = put_bytes("file.offer", body, strlen(names[i]) + 17);
        CHECK_EQ(f.kind, WEFT_REPLIED);
        CHECK_EQ(f.reply[0], WEFT_ERR_MALFORMED);
    }
    CHECK_EQ(entries_of("in"), 0);
    pair_close(&pair);
}

TEST(a_put_that_is_cut_or_goes_on_makes_no_file)
{
    uint8_t body[512];
    size_t len = write_put(body, "x", 3, 0);
    struct fate f;

    start_receiving();
    for (size_t i = 0; i < len; i++) {
        f = put_bytes("file.put", body, i);
        test_note("%zu of %zu bytes", i, len);
        CHECK(!was_taken(&f));
    }
    body[len] = 0;
    f = put_bytes("file.put", body, len + 1);
    CHECK(!was_taken(&f));
    CHECK(access(path_in("in", "x"), F_OK) != 0);
    pair_close(&pair);
}

TEST(a_put_from_behind_what_is_here_or_of_a_huge_size_is_refused)
{
    uint8_t body[512];
    struct fate f;

    start_receiving();
    f = put_bytes("file.put", body, write_put(body, "x", 3, 1));
    CHECK(!was_taken(&f));
    f = put_bytes("file.put", body, write_put(body, "x", 3, UINT64_MAX));
    CHECK(!was_taken(&f));
    f = put_bytes("file.put", body, write_put(body, "x", UINT64_MAX, 0));
    CHECK(!was_taken(&f));
    f = put_bytes("file.put", body, write_put(body, "x", INT64_MAX, 0));
    CHECK(!was_taken(&f));
    CHECK(access(path_in("in", "x"), F_OK) != 0);
    pair_close(&pair);
}

/* --- offering, listing, fetching --- */

static void start_offering(void)
{
    pair_open(&pair);
    put_file(path_in("out", "a"), "abc", 3);
    put_file(path_in("out", "b"), "", 0);
    CHECK_OK(weft_file_offer(pair.server, path_in("out", "a")));
    CHECK_OK(weft_file_offer(pair.server, path_in("out", "b")));
}

static void fetch(struct told *t, const char *name)
{
    weft_file_params p = told_params(t);

    CHECK_OK(weft_file_fetch(pair.client, pair.to, name, path_in("in", ""), &p));
    pair_until(&pair, &t->calls, 1);
    pair_settle(&pair);
}

TEST(what_is_no_file_is_not_offered)
{
    pair_open(&pair);
    put_file(path_in("out", "a"), "abc", 3);
    put_file(path_in("in", "a"), "abc", 3);
    CHECK_EQ(weft_file_offer(pair.server, path_in("out", "none")), WEFT_ERR_NOT_FOUND);
    CHECK_EQ(weft_file_offer(pair.server, path_in("out", "")), WEFT_ERR_USAGE);
    CHECK_EQ(weft_file_offer(pair.server, path_in("out", "a/")), WEFT_ERR_USAGE);
    CHECK_OK(weft_file_offer(pair.server, path_in("out", "a")));
    CHECK_EQ(weft_file_offer(pair.server, path_in("out", "a")), WEFT_ERR_EXISTS);
    CHECK_EQ(weft_file_offer(pair.server, path_in("in", "a")), WEFT_ERR_EXISTS);
    pair_close(&pair);
}

TEST(a_node_offers_1024_files_at_most)
{
    char name[16];

    pair_open(&pair);
    for (unsigned i = 0; i <= 1024; i++) {
        (void)snprintf(name, sizeof name, "f%u", i);
        put_file(path_in("out", name), "", 0);
        CHECK_EQ(weft_file_offer(pair.server, path_in("out", name)),
                 i < 1024 ? WEFT_OK : WEFT_ERR_LIMIT);
    }
    pair_close(&pair);
}

struct listed {
    unsigned ends;
    size_t count;
    weft_err err;
    char names[8][32];
    uint64_t sizes[8];
};

static void on_listed(weft_err err, const char *name, uint64_t size, void *user)
{
    struct listed *l = user;

    CHECK_EQ(l->ends, 0);
    if (name == NULL) {
        l->ends++;
        l->err = err;
        return;
    }
    CHECK_OK(err);
    CHECK(l->count < 8);
    (void)snprintf(l->names[l->count], sizeof l->names[0], "%s", name);
    l->sizes[l->count++] = size;
}

static struct listed list(void)
{
    struct listed l = {.count = 0};

    CHECK_OK(weft_file_list(pair.client, pair.to, on_listed, &l));
    pair_until(&pair, &l.ends, 1);
    pair_settle(&pair);
    return l;
}

TEST(a_list_tells_each_file_and_then_its_end)
{
    struct listed l;

    start_offering();
    l = list();
    CHECK_OK(l.err);
    CHECK_EQ(l.count, 2);
    CHECK_STR_EQ(l.names[0], "a");
    CHECK_STR_EQ(l.names[1], "b");
    CHECK_EQ(l.sizes[0], 3);
    CHECK_EQ(l.sizes[1], 0);
    CHECK_EQ(unlink(path_in("out", "a")), 0); /* not there any more */
    l = list();
    CHECK_OK(l.err);
    CHECK_EQ(l.count, 1);
    CHECK_STR_EQ(l.names[0], "b");
    pair_close(&pair);
}

TEST(a_list_that_fails_tells_its_end_with_the_error)
{
    struct listed l;

    pair_open_with(&pair, NULL, NULL);
    CHECK_OK(weft_node_serve(pair.server, "other", on_echo, NULL));
    l = list();
    CHECK_EQ(l.err, WEFT_ERR_REFUSED);
    put_file(path_in("out", "a"), "abc", 3);
    CHECK_OK(weft_file_offer(pair.server, path_in("out", "a")));
    l = list();
    CHECK_EQ(l.err, WEFT_ERR_DENIED);
    CHECK_EQ(l.count, 0);
    CHECK_EQ(weft_file_list(pair.client, "weft1", on_listed, &l), WEFT_ERR_MALFORMED);
    pair_close(&pair);
}

TEST(a_file_that_is_offered_can_be_fetched_and_again_under_another_name)
{
    struct told t;

    start_offering();
    fetch(&t, "a");
    check_told(&t, WEFT_OK, "a", 3);
    CHECK_MEM_EQ(t.result.digest, digest_of_abc, WEFT_DIGEST_LEN);
    CHECK_MEM_EQ(&t.result.peer, &pair.server_key, sizeof t.result.peer);
    CHECK_EQ(t.result.moved, 3);
    fetch(&t, "a");
    check_told(&t, WEFT_OK, "a.1", 3);
    fetch(&t, "b");
    check_told(&t, WEFT_OK, "b", 0);
    check_file(path_in("in", "a"), "abc", 3);
    check_file(path_in("in", "a.1"), "abc", 3);
    check_file(path_in("in", "b"), "", 0);
    CHECK_EQ(entries_of("in"), 3);
    pair_close(&pair);
}

TEST(a_large_file_is_fetched_whole)
{
    size_t len = 5000000;
    uint8_t *data = api_bytes(len);
    struct told t;

    start_offering();
    put_file(path_in("out", "large"), data, len);
    CHECK_OK(weft_file_offer(pair.server, path_in("out", "large")));
    fetch(&t, "large");
    check_told(&t, WEFT_OK, "large", len);
    CHECK_EQ(t.done, len);
    check_file(path_in("in", "large"), data, len);
    free(data);
    pair_close(&pair);
}

TEST(what_is_not_offered_is_not_fetched)
{
    struct told t;
    weft_file_params p;
    weft_file_params small;

    start_offering();
    fetch(&t, "c");
    check_told(&t, WEFT_ERR_NOT_FOUND, "c", 0);
    CHECK_EQ(unlink(path_in("out", "a")), 0);
    fetch(&t, "a");
    CHECK_EQ(t.result.err, WEFT_ERR_NOT_FOUND);
    CHECK_EQ(entries_of("in"), 0);
    p = told_params(&t);
    small = p;
    small.size--;
    CHECK_EQ(weft_file_fetch(pair.client, pair.to, "../a", path_in("in", ""), &p), WEFT_ERR_USAGE);
    CHECK_EQ(weft_file_fetch(pair.client, pair.to, "", path_in("in", ""), &p), WEFT_ERR_USAGE);
    CHECK_EQ(weft_file_fetch(pair.client, pair.to, "b", path_in("in", "none"), &p),
             WEFT_ERR_NOT_FOUND);
    CHECK_EQ(weft_file_fetch(pair.client, "weft1", "b", path_in("in", ""), &p), WEFT_ERR_MALFORMED);
    CHECK_EQ(weft_file_fetch(pair.client, pair.to, "b", path_in("in", ""), NULL), WEFT_ERR_USAGE);
    CHECK_EQ(weft_file_fetch(pair.client, pair.to, "b", path_in("in", ""), &small), WEFT_ERR_USAGE);
    CHECK(weft_node_is_idle(pair.client));
    CHECK_EQ(t.calls, 0);
    pair_close(&pair);
}

/* --- broken off and gone on with --- */

#define LARGE 12000000u

/* The client of the pair is replaced by one of this identity. */
static void client_of(const weft_identity *identity)
{
    weft_node_params p = WEFT_NODE_PARAMS;

    weft_node_close(pair.client);
    p.identity = identity;
    p.listen = "127.0.0.1:0";
    CHECK_OK(weft_node_open(&pair.client, &p));
}

/* Until some of it was carried, not all. */
static void until_some(const struct told *t)
{
    for (unsigned i = 0; t->done < LARGE / 4; i++) {
        CHECK(i < API_ROUNDS_MAX);
        pair_turn(&pair);
    }
    CHECK(t->done < LARGE);
}

TEST(a_file_whose_sender_closes_is_resumed_where_it_broke_off)
{
    uint8_t *data = api_bytes(LARGE);
    weft_identity *identity = NULL;
    struct told t;
    weft_file_params p;

    start_receiving();
    CHECK_OK(weft_identity_new(&identity));
    client_of(identity);
    put_file(path_in("out", "large"), data, LARGE);
    p = told_params(&t);
    CHECK_OK(weft_file_send(pair.client, pair.to, path_in("out", "large"), &p));
    until_some(&received);
    weft_node_close(pair.client);
    pair.client = NULL;
    CHECK_EQ(t.calls, 1);
    CHECK_NE(t.result.err, WEFT_OK);
    pair_until(&pair, &received.calls, 1);
    CHECK_NE(received.result.err, WEFT_OK);
    CHECK(access(path_in("in", "large"), F_OK) != 0);
    CHECK_EQ(entries_of("in"), 1); /* the part */
    client_of(identity);
    send_file(&t, path_in("out", "large"));
    check_told(&t, WEFT_OK, "large", LARGE);
    check_told(&received, WEFT_OK, "large", LARGE);
    CHECK_LE(LARGE / 4, t.result.resumed_at);
    CHECK_EQ(t.result.resumed_at, received.result.resumed_at);
    CHECK_EQ(t.result.moved, LARGE - t.result.resumed_at);
    check_file(path_in("in", "large"), data, LARGE);
    CHECK_EQ(entries_of("in"), 1);
    weft_identity_free(identity);
    free(data);
    pair_close(&pair);
}

TEST(a_fetch_that_broke_off_is_resumed_where_it_did)
{
    uint8_t *data = api_bytes(LARGE);
    weft_identity *identity = NULL;
    struct told t;
    weft_file_params p;

    start_offering();
    CHECK_OK(weft_identity_new(&identity));
    put_file(path_in("out", "large"), data, LARGE);
    CHECK_OK(weft_file_offer(pair.server, path_in("out", "large")));
    p = told_params(&t);
    CHECK_OK(weft_file_fetch(pair.client, pair.to, "large", path_in("in", ""), &p));
    until_some(&t);
    client_of(identity);
    CHECK_EQ(t.calls, 1);
    CHECK_NE(t.result.err, WEFT_OK);
    CHECK(access(path_in("in", "large"), F_OK) != 0);
    fetch(&t, "large");
    check_told(&t, WEFT_OK, "large", LARGE);
    CHECK_LE(LARGE / 4, t.result.resumed_at);
    CHECK_EQ(t.result.moved, LARGE - t.result.resumed_at);
    check_file(path_in("in", "large"), data, LARGE);
    CHECK_EQ(entries_of("in"), 1);
    weft_identity_free(identity);
    free(data);
    pair_close(&pair);
}

TEST(each_file_under_way_is_told_once_when_its_node_closes)
{
    for (unsigned turns = 0; turns < 9; turns += 2) {
        struct told sent;
        struct told fetched;
        struct listed l = {.count = 0};
        weft_file_params p;

        start_receiving();
        put_file(path_in("out", "large"), path_in("out", "large"), 10);
        CHECK_EQ(truncate(path_in("out", "large"), LARGE), 0);
        CHECK_OK(weft_file_offer(pair.server, path_in("out", "large")));
        p = told_params(&sent);
        CHECK_OK(weft_file_send(pair.client, pair.to, path_in("out", "large"), &p));
        p = told_params(&fetched);
        CHECK_OK(weft_file_fetch(pair.client, pair.to, "large", path_in("in", ""), &p));
        CHECK_OK(weft_file_list(pair.client, pair.to, on_listed, &l));
        for (unsigned i = 0; i < turns; i++)
            pair_turn(&pair);
        pair_close(&pair);
        CHECK_EQ(sent.calls, 1);
        CHECK_EQ(fetched.calls, 1);
        CHECK_EQ(l.ends, 1);
        CHECK_LE(received.calls, 1);
    }
}
