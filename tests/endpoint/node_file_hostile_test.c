/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_file_hostile_test.c - the other side of a file transfer lies: about names, offsets, sizes,
 * times and digests, or says too little or too much. No file appears that is not right, and no name
 * is told that could not be a file's.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/writer.h"
#include "crypto/sha256.h"
#include "node_pair.h"
#include "weft/file.h"

#define REPLY_MAX 8192u

static struct nodes pair;

/* --- a server that says what a script says --- */

struct script {
    uint8_t reply[REPLY_MAX];
    size_t len;
    unsigned asked;
};

static void on_asked(weft_exchange *x, const weft_message *m, void *user)
{
    struct script *s = user;

    (void)m;
    s->asked++;
    CHECK_OK(weft_reply(x, s->reply, s->len));
}

static void says(struct script *s, const char *service)
{
    *s = (struct script){.len = 0};
    CHECK_OK(weft_node_serve(pair.server, service, on_asked, s));
}

static void set_reply(struct script *s, const void *data, size_t len)
{
    CHECK_LE(len, sizeof s->reply);
    memcpy(s->reply, data, len);
    s->len = len;
}

/* --- what was told --- */

struct told {
    unsigned done;
    bool is_over;
    weft_file_result result;
    char name[512];
    uint64_t progress;
};

static void on_done(const weft_file_result *r, void *user)
{
    struct told *t = user;

    t->done++;
    t->is_over = true;
    t->result = *r;
    CHECK(r->name != NULL && strlen(r->name) < sizeof t->name);
    memcpy(t->name, r->name, strlen(r->name) + 1);
    CHECK(weft_strerror(r->err) != NULL);
    CHECK_LE(r->moved, r->size);
}

static void on_progress(const char *name, uint64_t done, uint64_t size, void *user)
{
    (void)name;
    CHECK_LE(done, size);
    ((struct told *)user)->progress = done;
}

static weft_file_params told_params(struct told *t)
{
    weft_file_params p = WEFT_FILE_PARAMS;

    *t = (struct told){.done = 0};
    p.on_done = on_done;
    p.on_progress = on_progress;
    p.user = t;
    return p;
}

/* Static: good until the next call but three. */
static const char *path_of(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof paths[0], "%s/%s", test_folder(), name);
    return path;
}

static void write_file(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    CHECK_EQ(write(fd, data, len), len);
    CHECK_EQ(close(fd), 0);
}

/* Files in a folder that are not parts. */
static unsigned files_in(const char *folder)
{
    DIR *d = opendir(folder);
    unsigned count = 0;

    CHECK(d != NULL);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        count += e->d_name[0] != '.';
    (void)closedir(d);
    return count;
}

/* --- sending to a liar --- */

static struct script offer_reply, put_reply;

static void start_sending(void)
{
    static const uint8_t from_0[9] = {0};

    nodes_open(&pair);
    says(&offer_reply, "file.offer");
    says(&put_reply, "file.put");
    set_reply(&offer_reply, from_0, sizeof from_0);
}

static weft_err send_it(struct told *t)
{
    weft_file_params p = told_params(t);

    write_file(path_of("source"), "0123456789", 10);
    CHECK_OK(weft_file_send(pair.client, pair.to, path_of("source"), &p));
    nodes_until(&pair, &t->is_over);
    nodes_settle(&pair);
    CHECK_EQ(t->done, 1);
    return t->result.err;
}

TEST(a_receiver_that_tells_a_name_that_is_none_is_not_believed)
{
    static const struct {
        const char *name;
        size_t len;
        bool good;
    } rows[] = {
        {"source", 6, true},   {"source.1", 8, true},      {"", 0, false},
        {"a/b", 3, false},     {"\033[2J", 4, false},      {"a\nb", 3, false},
        {"a\0b", 3, false},    {"..", 2, false},           {"\xff", 1, false},
        {".weft-x", 7, false}, {"\xe2\x80\xae", 3, false},
    };
    struct told t;

    start_sending();
    for (size_t i = 0; i < WF_ARRAY_LEN(rows); i++) {
        struct wf_writer w = wf_writer_of(put_reply.reply, REPLY_MAX);

        test_note("name %zu", i);
        wf_write_u8(&w, 0);
        wf_write_u8(&w, (uint8_t)rows[i].len);
        wf_write_bytes(&w, (const uint8_t *)rows[i].name, rows[i].len);
        put_reply.len = w.len;
        CHECK_EQ(send_it(&t), rows[i].good ? WEFT_OK : WEFT_ERR_MALFORMED);
        CHECK_STR_EQ(t.name, rows[i].good ? rows[i].name : "source");
    }
    nodes_close(&pair);
}

TEST(a_receiver_whose_answers_are_cut_or_go_on_is_not_believed)
{
    static const uint8_t good[] = {0, 6, 's', 'o', 'u', 'r', 'c', 'e', 0};
    struct told t;

    start_sending();
    for (size_t len = 0; len <= sizeof good; len++) {
        test_note("answer to put, %zu bytes", len);
        set_reply(&put_reply, good, len);
        CHECK_EQ(send_it(&t), len == 8 ? WEFT_OK : WEFT_ERR_MALFORMED);
    }
    set_reply(&put_reply, good, 8);
    for (size_t len = 0; len <= 10; len++) {
        test_note("answer to offer, %zu bytes", len);
        memset(offer_reply.reply, 0, sizeof offer_reply.reply);
        offer_reply.len = len;
        CHECK_EQ(send_it(&t), len == 9 ? WEFT_OK : WEFT_ERR_MALFORMED);
    }
    nodes_close(&pair);
}

TEST(a_receiver_that_claims_more_than_the_file_has_is_not_believed)
{
    static const uint64_t lies[] = {11, 1000, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    struct told t;

    start_sending();
    for (size_t i = 0; i < WF_ARRAY_LEN(lies); i++) {
        offer_reply.len = 9;
        offer_reply.reply[0] = 0;
        wf_store_u64(offer_reply.reply + 1, lies[i]);
        CHECK_EQ(send_it(&t), WEFT_ERR_MALFORMED);
        CHECK_EQ(put_reply.asked, 0);
    }
    nodes_close(&pair);
}

TEST(any_status_of_a_receiver_is_an_error_that_can_be_told)
{
    struct told t;

    start_sending();
    for (unsigned status = 1; status < 256; status += 6) {
        set_reply(&put_reply, &(uint8_t){(uint8_t)status}, 1);
        CHECK(send_it(&t) != WEFT_OK);
    }
    nodes_close(&pair);
}

/* --- fetching from a liar --- */

static struct script list_reply, get_reply;

static void write_list(const char *name, uint64_t size)
{
    struct wf_writer w = wf_writer_of(list_reply.reply, REPLY_MAX);

    wf_write_u8(&w, (uint8_t)strlen(name));
    wf_write_span(&w, wf_span_of(name));
    wf_write_u64(&w, size);
    wf_write_u64(&w, 77);
    list_reply.len = w.len;
}

/* The head, the bytes "0123456789" from an offset on, and their digest. */
static void write_get(uint64_t size, uint64_t modified, uint64_t offset)
{
    struct wf_writer w = wf_writer_of(get_reply.reply, REPLY_MAX);
    struct wf_sha256 *sha = NULL;
    uint8_t digest[WF_SHA256_LEN];

    CHECK_OK(wf_sha256_new(&sha));
    wf_sha256_add(sha, wf_span_of("0123456789"));
    wf_sha256_end(sha, digest);
    wf_sha256_free(sha);
    wf_write_u8(&w, 0);
    wf_write_u64(&w, size);
    wf_write_u64(&w, modified);
    wf_write_u64(&w, offset);
    wf_write_bytes(&w, (const uint8_t *)"0123456789", 10);
    wf_write_bytes(&w, digest, sizeof digest);
    get_reply.len = w.len;
}

static void start_fetching(void)
{
    nodes_open(&pair);
    says(&list_reply, "file.list");
    says(&get_reply, "file.get");
    write_list("x", 10);
    write_get(10, 77, 0);
    (void)mkdir(path_of("in"), 0700);
}

static weft_err fetch_it(struct told *t)
{
    weft_file_params p = told_params(t);

    CHECK_OK(weft_file_fetch(pair.client, pair.to, "x", path_of("in"), &p));
    nodes_until(&pair, &t->is_over);
    nodes_settle(&pair);
    CHECK_EQ(t->done, 1);
    return t->result.err;
}

static void remove_all(const char *folder)
{
    DIR *d = opendir(folder);

    CHECK(d != NULL);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            CHECK_EQ(unlinkat(dirfd(d), e->d_name, 0), 0);
    }
    (void)closedir(d);
}

static void check_refused(weft_err err)
{
    struct told t;

    CHECK_EQ(fetch_it(&t), err);
    CHECK_EQ(files_in(path_of("in")), 0);
    remove_all(path_of("in"));
}

TEST(a_file_from_a_server_is_kept_when_all_of_it_is_right)
{
    struct told t;

    start_fetching();
    CHECK_OK(fetch_it(&t));
    CHECK_STR_EQ(t.name, "x");
    CHECK_EQ(files_in(path_of("in")), 1);
    nodes_close(&pair);
}

TEST(a_server_that_lies_about_what_it_sends_gives_no_file)
{
    start_fetching();
    write_get(11, 77, 0);
    check_refused(WEFT_ERR_STATE);
    write_get(UINT64_MAX, 77, 0);
    check_refused(WEFT_ERR_STATE);
    write_get(10, 78, 0);
    check_refused(WEFT_ERR_STATE);
    write_get(10, 77, 1);
    check_refused(WEFT_ERR_MALFORMED);
    write_get(10, 77, UINT64_MAX);
    check_refused(WEFT_ERR_MALFORMED);
    write_get(10, 77, 0);
    get_reply.reply[25] ^= 1;
    check_refused(WEFT_ERR_CRYPTO);
    write_get(10, 77, 0);
    get_reply.reply[get_reply.len - 1] ^= 1;
    check_refused(WEFT_ERR_CRYPTO);
    write_get(10, 77, 0);
    get_reply.len++;
    check_refused(WEFT_ERR_MALFORMED);
    nodes_close(&pair);
}

TEST(a_server_that_lies_in_its_list_gives_no_file)
{
    start_fetching();
    write_list("y", 10);
    check_refused(WEFT_ERR_MALFORMED);
    write_list("../x", 10);
    check_refused(WEFT_ERR_MALFORMED);
    write_list("x", (uint64_t)INT64_MAX + 1);
    check_refused(WEFT_ERR_MALFORMED);
    write_list("x", INT64_MAX);
    write_get(INT64_MAX, 77, 0);
    check_refused(WEFT_ERR_STATE); /* it ends before that */
    list_reply.len = 5;
    check_refused(WEFT_ERR_MALFORMED);
    list_reply.len = 0;
    check_refused(WEFT_ERR_NOT_FOUND);
    nodes_close(&pair);
}

TEST(an_answer_cut_anywhere_gives_no_file)
{
    size_t whole = 0;

    start_fetching();
    whole = get_reply.len;
    for (size_t len = 0; len < whole; len++) {
        test_note("%zu bytes", len);
        get_reply.len = len;
        check_refused(WEFT_ERR_STATE);
    }
    nodes_close(&pair);
}

TEST(any_status_of_a_server_is_an_error_that_can_be_told)
{
    start_fetching();
    for (unsigned status = 1; status < 256; status += 6) {
        struct told t;

        set_reply(&get_reply, &(uint8_t){(uint8_t)status}, 1);
        CHECK(fetch_it(&t) != WEFT_OK);
        CHECK_EQ(files_in(path_of("in")), 0);
    }
    nodes_close(&pair);
}

static unsigned listed;
static bool list_is_over;
static weft_err list_err;

static void on_listed(weft_err err, const char *name, uint64_t size, void *user)
{
    (void)size;
    (void)user;
    CHECK(!list_is_over);
    listed += name != NULL;
    list_is_over = name == NULL;
    list_err = err;
    if (name != NULL)
        CHECK_STR_EQ(name, "x");
}

static weft_err list_it(void)
{
    listed = 0;
    list_is_over = false;
    CHECK_OK(weft_file_list(pair.client, pair.to, on_listed, NULL));
    nodes_until(&pair, &list_is_over);
    return list_err;
}

TEST(a_listing_with_names_that_are_none_ends_with_an_error)
{
    static const char *const names[] = {"../x", "a\033[2Jb", ".weft-1", "a\x7f"};
    size_t len = 0;

    start_fetching();
    CHECK_OK(list_it());
    CHECK_EQ(listed, 1);
    for (size_t i = 0; i < WF_ARRAY_LEN(names); i++) {
        write_list(names[i], 1);
        CHECK_EQ(list_it(), WEFT_ERR_MALFORMED);
        CHECK_EQ(listed, 0);
    }
    write_list("x", 1);
    len = list_reply.len;
    for (list_reply.len = 1; list_reply.len < len; list_reply.len++)
        CHECK_EQ(list_it(), WEFT_ERR_MALFORMED);
    nodes_close(&pair);
}

/* --- a source that changes while it is read --- */

static const char *changing;

static void change(const char *name, uint64_t done, uint64_t size, void *user)
{
    struct told *t = user;

    (void)name;
    CHECK_LE(done, size);
    if (t->progress == 0) {
        int fd = open(changing, O_WRONLY | O_CLOEXEC);

        CHECK(fd >= 0);
        CHECK_EQ(pwrite(fd, "changed", 7, 5999000), 7);
        CHECK_EQ(close(fd), 0);
    }
    t->progress = done + 1;
}

TEST(a_file_that_changes_while_it_is_sent_is_not_received)
{
    uint8_t *data = calloc(1, 6000000);
    struct told received;
    struct told t;
    weft_file_params p;

    CHECK(data != NULL);
    nodes_open(&pair);
    p = told_params(&received);
    CHECK_OK(weft_file_receive(pair.server, path_of("in"), &p));
    write_file(path_of("source"), data, 6000000);
    free(data);
    changing = path_of("source");
    p = told_params(&t);
    p.on_progress = change;
    CHECK_OK(weft_file_send(pair.client, pair.to, changing, &p));
    nodes_until(&pair, &t.is_over);
    nodes_settle(&pair);
    CHECK_EQ(t.result.err, WEFT_ERR_STATE);
    CHECK(received.result.err != WEFT_OK);
    CHECK_EQ(files_in(path_of("in")), 0);
    nodes_close(&pair);
}
