/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_key_test.c - keys and peers as text, and key files: what is written can be read again, and
 * nothing damaged is ever taken for a key.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bech32.h"
#include "base/bytes.h"
#include "test.h"
#include "weft/weft.h"

#define PATH_BYTES 512
#define FILE_BYTES 1024

/* --- keys as text --- */

static weft_key some_key(uint64_t seed)
{
    weft_key key;

    for (size_t i = 0; i < sizeof key.bytes; i++)
        key.bytes[i] = (uint8_t)test_next(&seed);
    return key;
}

/* Refused, and what was there stays. */
static void check_no_key(const char *text)
{
    weft_key before = some_key(99);
    weft_key key = before;

    test_note("key \"%s\"", text == NULL ? "(null)" : text);
    CHECK_EQ(weft_key_parse(&key, text), WEFT_ERR_MALFORMED);
    CHECK_MEM_EQ(&key, &before, sizeof key);
}

TEST(a_key_comes_back_from_its_text)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        weft_key key = some_key(seed);
        weft_key again = {{0}};
        char text[WEFT_KEY_TEXT_MAX];

        memset(text, '#', sizeof text);
        weft_key_text(text, &key);
        CHECK_EQ(strlen(text), 63);
        CHECK(strncmp(text, "weft1", 5) == 0);
        CHECK_OK(weft_key_parse(&again, text));
        CHECK_MEM_EQ(&again, &key, sizeof key);
    }
}

TEST(a_key_may_be_typed_in_upper_case_but_not_mixed)
{
    weft_key key = some_key(1);
    weft_key again = {{0}};
    char text[WEFT_KEY_TEXT_MAX];

    weft_key_text(text, &key);
    for (char *c = text; *c != '\0'; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    CHECK_OK(weft_key_parse(&again, text));
    CHECK_MEM_EQ(&again, &key, sizeof key);
    text[0] = 'w';
    check_no_key(text);
}

TEST(every_wrong_character_of_a_key_is_noticed)
{
    weft_key key = some_key(2);
    char text[WEFT_KEY_TEXT_MAX];

    weft_key_text(text, &key);
    for (size_t i = 0; text[i] != '\0'; i++) {
        char right = text[i];

        for (int c = 1; c < 256; c++) {
            text[i] = (char)c;
            if (text[i] != right)
                check_no_key(text);
        }
        text[i] = right;
    }
}

TEST(two_characters_in_each_others_place_are_noticed)
{
    weft_key key = some_key(3);
    char text[WEFT_KEY_TEXT_MAX];

    weft_key_text(text, &key);
    for (size_t i = 5; text[i + 1] != '\0'; i++) {
        char c = text[i];

        if (text[i + 1] == c)
            continue;
        text[i] = text[i + 1];
        text[i + 1] = c;
        check_no_key(text);
        text[i + 1] = text[i];
        text[i] = c;
    }
}

TEST(a_key_is_whole_and_nothing_follows_it)
{
    weft_key key = some_key(4);
    char text[WEFT_KEY_TEXT_MAX];
    char longer[WEFT_KEY_TEXT_MAX + 2];

    weft_key_text(text, &key);
    for (size_t len = 0; len < strlen(text); len++) {
        (void)snprintf(longer, sizeof longer, "%.*s", (int)len, text);
        check_no_key(longer);
    }
    (void)snprintf(longer, sizeof longer, "%s ", text);
    check_no_key(longer);
    (void)snprintf(longer, sizeof longer, "%s\n", text);
    check_no_key(longer);
    (void)snprintf(longer, sizeof longer, "%sq", text);
    check_no_key(longer);
    (void)snprintf(longer, sizeof longer, " %s", text);
    check_no_key(longer);
    check_no_key(NULL);
}

TEST(bytes_of_another_kind_or_number_are_no_key)
{
    weft_key key = some_key(5);
    uint8_t more[WEFT_KEY_LEN + 1] = {0};
    char text[WF_BECH32_TEXT_MAX + 1];

    CHECK_OK(wf_bech32_encode(text, sizeof text, "weftsec", wf_span(key.bytes, WEFT_KEY_LEN)));
    check_no_key(text);
    CHECK_OK(wf_bech32_encode(text, sizeof text, "wef", wf_span(key.bytes, WEFT_KEY_LEN)));
    check_no_key(text);
    CHECK_OK(wf_bech32_encode(text, sizeof text, "weft", wf_span(key.bytes, WEFT_KEY_LEN - 1)));
    check_no_key(text);
    CHECK_OK(wf_bech32_encode(text, sizeof text, "weft", wf_span(more, sizeof more)));
    check_no_key(text);
    CHECK_OK(wf_bech32_encode(text, sizeof text, "weft", wf_span(NULL, 0)));
    check_no_key(text);
}

TEST(only_the_key_of_all_zeros_is_nobody)
{
    weft_key key = {{0}};

    CHECK(weft_key_is_nobody(&key));
    for (size_t i = 0; i < 8 * sizeof key.bytes; i++) {
        key.bytes[i / 8] = (uint8_t)(1u << i % 8);
        CHECK(!weft_key_is_nobody(&key));
        key.bytes[i / 8] = 0;
    }
}

/* --- peers as text --- */

static char key_text[WEFT_KEY_TEXT_MAX];
static weft_key peer_key;

static const char *with_key(const char *address)
{
    static char text[1024];

    peer_key = some_key(6);
    weft_key_text(key_text, &peer_key);
    (void)snprintf(text, sizeof text, "%s%s", key_text, address);
    return text;
}

static void check_peer(const char *address, const char *host, uint16_t port)
{
    weft_peer peer = {.port = 9};
    const char *text = with_key(address);

    test_note("peer \"%s\"", text);
    CHECK_OK(weft_peer_parse(&peer, text));
    CHECK_MEM_EQ(&peer.key, &peer_key, sizeof peer_key);
    CHECK_STR_EQ(peer.host, host);
    CHECK_EQ(peer.port, port);
}

static void check_no_peer(const char *text, weft_err want)
{
    weft_peer before = {.port = 7, .host = "before", .key = some_key(8)};
    weft_peer peer = before;

    test_note("peer \"%s\"", text == NULL ? "(null)" : text);
    CHECK_EQ(weft_peer_parse(&peer, text), want);
    CHECK_EQ(peer.port, before.port);
    CHECK_STR_EQ(peer.host, before.host);
    CHECK_MEM_EQ(&peer.key, &before.key, sizeof peer.key);
}

/* SPEC 5.1-2 */
TEST(a_peer_is_read_with_and_without_address_and_port)
{
    char longest[1 + WEFT_HOST_MAX + 1];

    check_peer("", "", 0);
    check_peer("@example.org", "example.org", WEFT_PORT_DEFAULT);
    check_peer("@example.org:1", "example.org", 1);
    check_peer("@127.0.0.1:65535", "127.0.0.1", 65535);
    check_peer("@[::1]", "::1", WEFT_PORT_DEFAULT);
    check_peer("@[fe80::1%3]:9", "fe80::1%3", 9);
    check_peer("@x:4870", "x", 4870);
    memset(longest, 'h', sizeof longest);
    longest[0] = '@';
    longest[sizeof longest - 1] = '\0';
    check_peer(longest, longest + 1, WEFT_PORT_DEFAULT);
}

TEST(a_peer_comes_back_from_what_it_was_read_as)
{
    static const char *const addresses[] = {"@a:1", "@[::1]:2", "@1.2.3.4:65535", "@b.example"};

    for (size_t i = 0; i < WF_ARRAY_LEN(addresses); i++) {
        weft_peer peer;
        weft_peer again;
        char text[512];
        bool is_v6 = false;

        CHECK_OK(weft_peer_parse(&peer, with_key(addresses[i])));
        is_v6 = strchr(peer.host, ':') != NULL;
        (void)snprintf(text, sizeof text, "%s@%s%s%s:%u", key_text, is_v6 ? "[" : "", peer.host,
                       is_v6 ? "]" : "", peer.port);
        CHECK_OK(weft_peer_parse(&again, text));
        CHECK_MEM_EQ(&again.key, &peer.key, sizeof peer.key);
        CHECK_STR_EQ(again.host, peer.host);
        CHECK_EQ(again.port, peer.port);
    }
}

TEST(a_host_or_port_that_is_none_is_refused)
{
    static const char *const wrong[] = {
        "@",        "@:1",      "@h:",        "@h:0",     "@h:65536", "@h:99999999999", "@h:x",
        "@h:1x",    "@h: 1",    "@h:-1",      "@h:+1",    "@[::1",    "@[::1]x",        "@[::1]:",
        "@[::1]:0", "@[]",      "@[]:1",      "@[",       "@::1",     "@1::2:3",        "@h h",
        "@h\t:1",   "@h\x7f:1", "@h\xc3\xa4", "@a@b:1",   "@ h",      "@h:1:1",         "@h\n",
        "@@h:1",    "@[::1]1",  "@[::1]:1 ",  "@h:1\r\n",
    };
    char longer[1 + WEFT_HOST_MAX + 2];

    for (size_t i = 0; i < WF_ARRAY_LEN(wrong); i++)
        check_no_peer(with_key(wrong[i]), WEFT_ERR_ADDRESS);
    memset(longer, 'h', sizeof longer);
    longer[0] = '@';
    longer[sizeof longer - 1] = '\0';
    check_no_peer(with_key(longer), WEFT_ERR_ADDRESS);
}

TEST(a_peer_without_a_right_key_is_refused)
{
    char text[512];

    check_no_peer(NULL, WEFT_ERR_MALFORMED);
    check_no_peer("", WEFT_ERR_MALFORMED);
    check_no_peer("@127.0.0.1:1", WEFT_ERR_MALFORMED);
    check_no_peer("127.0.0.1:1", WEFT_ERR_MALFORMED);
    check_no_peer("weft1@127.0.0.1:1", WEFT_ERR_MALFORMED);
    (void)snprintf(text, sizeof text, "%s", with_key("@127.0.0.1:1"));
    text[10] = text[10] == 'q' ? 'p' : 'q';
    check_no_peer(text, WEFT_ERR_MALFORMED);
    (void)snprintf(text, sizeof text, "%0400d@h:1", 0);
    check_no_peer(text, WEFT_ERR_MALFORMED);
    check_no_peer(with_key(" @h:1"), WEFT_ERR_MALFORMED);
}

TEST(every_beginning_of_a_peer_is_read_without_harm)
{
    char whole[512];
    size_t len = 0;

    (void)snprintf(whole, sizeof whole, "%s", with_key("@[2001:db8::1]:4870"));
    len = strlen(whole);
    for (size_t i = 0; i <= len; i++) {
        char *cut = malloc(i + 1);
        weft_peer peer;
        weft_err err = WEFT_OK;

        CHECK(cut != NULL);
        memcpy(cut, whole, i);
        cut[i] = '\0';
        err = weft_peer_parse(&peer, cut);
        CHECK(err == WEFT_OK || err == (i < 63 ? WEFT_ERR_MALFORMED : WEFT_ERR_ADDRESS));
        free(cut);
    }
}

/* --- identities --- */

TEST(each_new_identity_is_another_one)
{
    weft_identity *a = NULL;
    weft_identity *b = NULL;
    weft_key ka;
    weft_key kb;

    CHECK_OK(weft_identity_new(&a));
    CHECK_OK(weft_identity_new(&b));
    ka = weft_identity_key(a);
    kb = weft_identity_key(b);
    CHECK(memcmp(&ka, &kb, sizeof ka) != 0);
    CHECK(!weft_key_is_nobody(&ka));
    weft_identity_free(a);
    weft_identity_free(b);
    weft_identity_free(NULL);
}

static const char *path_of(const char *name)
{
    static char path[PATH_BYTES];

    (void)snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    return path;
}

static void put_file(const char *path, const void *data, size_t len, mode_t mode)
{
    FILE *f = NULL;

    (void)unlink(path);
    f = fopen(path, "wb");
    CHECK(f != NULL);
    CHECK_EQ(fwrite(data, 1, len, f), len);
    CHECK_EQ(fclose(f), 0);
    CHECK_EQ(chmod(path, mode), 0);
}

static size_t get_file(const char *path, char text[FILE_BYTES])
{
    FILE *f = fopen(path, "rb");
    size_t len = 0;

    CHECK(f != NULL);
    len = fread(text, 1, FILE_BYTES - 1, f);
    CHECK_EQ(fclose(f), 0);
    text[len] = '\0';
    return len;
}

static weft_key save_new(const char *path, const char *passphrase)
{
    weft_identity *id = NULL;
    weft_key key;

    CHECK_OK(weft_identity_new(&id));
    CHECK_OK(weft_identity_save(id, path, passphrase));
    key = weft_identity_key(id);
    weft_identity_free(id);
    return key;
}

static void check_loads(const char *path, const char *passphrase, const weft_key *want)
{
    weft_identity *id = NULL;
    weft_key key;

    CHECK_OK(weft_identity_load(&id, path, passphrase));
    key = weft_identity_key(id);
    CHECK_MEM_EQ(&key, want, sizeof key);
    weft_identity_free(id);
}

static void check_load(const char *path, const char *passphrase, weft_err want)
{
    weft_identity *id = NULL;

    CHECK_EQ(weft_identity_load(&id, path, passphrase), want);
    CHECK(id == NULL);
}

static unsigned entries_of(const char *folder)
{
    DIR *dir = opendir(folder);
    unsigned count = 0;

    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count - 2; /* . and .. */
}

TEST(a_key_file_is_read_as_it_was_written_and_is_for_its_owner_alone)
{
    const char *path = path_of("key");
    mode_t before = umask(0);
    weft_key key = save_new(path, NULL);
    struct stat st;

    (void)umask(before);
    check_loads(path, NULL, &key);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);
    CHECK_EQ(entries_of(test_folder()), 1);
    check_loads(path, "a passphrase that is not needed", &key);
}

TEST(the_folder_of_a_key_file_is_made_for_its_owner_alone)
{
    const char *path = path_of("a/b/key");
    weft_key key = save_new(path, NULL);
    struct stat st;

    check_loads(path, NULL, &key);
    CHECK_EQ(stat(path_of("a/b"), &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0700);
}

TEST(a_key_file_that_is_there_is_left_alone)
{
    const char *path = path_of("key");
    weft_key key = save_new(path, NULL);
    weft_identity *id = NULL;

    CHECK_OK(weft_identity_new(&id));
    CHECK_EQ(weft_identity_save(id, path, NULL), WEFT_ERR_EXISTS);
    CHECK_EQ(weft_identity_save(id, path, "secret"), WEFT_ERR_EXISTS);
    weft_identity_free(id);
    check_loads(path, NULL, &key);
    CHECK_EQ(entries_of(test_folder()), 1);
}

TEST(a_key_file_that_others_can_use_is_refused)
{
    const char *path = path_of("key");
    weft_key key = save_new(path, NULL);

    for (unsigned bit = 0; bit < 6; bit++) {
        CHECK_EQ(chmod(path, (mode_t)(0600 | 1u << bit)), 0);
        check_load(path, NULL, WEFT_ERR_KEY_EXPOSED);
    }
    CHECK_EQ(chmod(path, 0400), 0);
    check_loads(path, NULL, &key);
}

TEST(what_is_no_file_is_no_key_file)
{
    weft_identity *id = NULL;

    check_load(path_of("nothing"), NULL, WEFT_ERR_NOT_FOUND);
    CHECK_EQ(mkfifo(path_of("pipe"), 0600), 0);
    check_load(path_of("pipe"), NULL, WEFT_ERR_DENIED); /* and does not wait for a writer */
    put_file(path_of("file"), "", 0, 0600);
    check_load(path_of("file/key"), NULL, WEFT_ERR_NOT_FOUND);
    CHECK_OK(weft_identity_new(&id));
    CHECK(weft_identity_save(id, path_of("file/key"), NULL) != WEFT_OK);
    weft_identity_free(id);
}

TEST(a_folder_that_may_not_be_entered_gives_no_key)
{
    uid_t before = geteuid();
    weft_identity *id = NULL;
    weft_err loaded = WEFT_OK;
    weft_err saved = WEFT_OK;
    weft_identity *none = NULL;

    CHECK_OK(weft_identity_new(&id));
    (void)save_new(path_of("shut/key"), NULL);
    CHECK_EQ(chmod(path_of("shut"), 0), 0);
    if (before == 0)
        CHECK_EQ(seteuid(65534), 0);
    loaded = weft_identity_load(&none, path_of("shut/key"), NULL);
    saved = weft_identity_save(id, path_of("shut/other"), NULL);
    if (before == 0)
        CHECK_EQ(seteuid(before), 0);
    CHECK_EQ(chmod(path_of("shut"), 0700), 0);
    weft_identity_free(id);
    CHECK_EQ(loaded, WEFT_ERR_DENIED);
    CHECK_EQ(saved, WEFT_ERR_DENIED);
}

/* SPEC 5.2-1 */
TEST(a_key_file_cut_at_any_length_is_refused)
{
    const char *path = path_of("key");
    char text[FILE_BYTES];
    size_t len = 0;

    (void)save_new(path, NULL);
    len = get_file(path, text);
    for (size_t i = 0; i < len; i++) {
        test_note("%zu of %zu bytes", i, len);
        put_file(path, text, i, 0600);
        check_load(path, NULL, WEFT_ERR_KEY_FILE);
        check_load(path, "secret", WEFT_ERR_KEY_FILE);
    }
}

TEST(a_key_file_with_any_byte_changed_is_refused)
{
    const char *path = path_of("key");
    char text[FILE_BYTES];
    size_t len = 0;

    (void)save_new(path, NULL);
    len = get_file(path, text);
    for (size_t i = 0; i < len; i++) {
        for (unsigned bit = 0; bit < 9; bit++) {
            char right = text[i];

            test_note("byte %zu, bit %u", i, bit);
            text[i] = bit == 8 ? '\0' : (char)(right ^ 1 << bit);
            put_file(path, text, len, 0600);
            check_load(path, NULL, WEFT_ERR_KEY_FILE);
            text[i] = right;
        }
    }
}

TEST(a_key_file_with_more_in_it_is_refused)
{
    const char *path = path_of("key");
    char text[FILE_BYTES];
    char more[4 * FILE_BYTES];
    size_t len = 0;
    weft_key key = save_new(path, NULL);

    len = get_file(path, text);
    memset(more, '\n', sizeof more);
    memcpy(more, text, len);
    put_file(path, more, len, 0600);
    check_loads(path, NULL, &key);
    put_file(path, more, len + 1, 0600);
    check_load(path, NULL, WEFT_ERR_KEY_FILE);
    put_file(path, more, FILE_BYTES - 1, 0600);
    check_load(path, NULL, WEFT_ERR_KEY_FILE);
    put_file(path, more, FILE_BYTES, 0600);
    check_load(path, NULL, WEFT_ERR_KEY_FILE);
    put_file(path, more, sizeof more, 0600);
    check_load(path, NULL, WEFT_ERR_KEY_FILE);
}

/* SPEC 5.2-1 */
TEST(a_secret_under_the_public_key_of_another_is_refused)
{
    char a[FILE_BYTES];
    char b[FILE_BYTES];
    char mixed[2 * FILE_BYTES];

    (void)save_new(path_of("a"), NULL);
    (void)save_new(path_of("b"), NULL);
    (void)get_file(path_of("a"), a);
    (void)get_file(path_of("b"), b);
    CHECK(strstr(a, "secret ") != NULL && strstr(b, "secret ") != NULL);
    (void)snprintf(mixed, sizeof mixed, "%.*s%s", (int)(strstr(a, "secret ") - a), a,
                   strstr(b, "secret "));
    put_file(path_of("mixed"), mixed, strlen(mixed), 0600);
    check_load(path_of("mixed"), NULL, WEFT_ERR_KEY_FILE);
}

/* --- under a passphrase --- */

TEST(a_sealed_key_file_opens_with_its_passphrase_alone)
{
    const char *path = path_of("key");
    char text[FILE_BYTES];
    weft_key key = save_new(path, "correct horse");

    check_loads(path, "correct horse", &key);
    check_load(path, NULL, WEFT_ERR_PASSPHRASE);
    check_load(path, "", WEFT_ERR_PASSPHRASE);
    check_load(path, "correct horsf", WEFT_ERR_PASSPHRASE);
    check_load(path, "correct horse ", WEFT_ERR_PASSPHRASE);
    (void)get_file(path, text);
    CHECK(strstr(text, "sealed ") != NULL);
    CHECK(strstr(text, "secret") == NULL);
    CHECK(strstr(text, "horse") == NULL);
}

TEST(an_empty_passphrase_is_a_passphrase)
{
    const char *path = path_of("key");
    weft_key key = save_new(path, "");

    check_loads(path, "", &key);
    check_load(path, NULL, WEFT_ERR_PASSPHRASE);
}

TEST(a_sealed_key_file_cut_at_any_length_is_refused)
{
    const char *path = path_of("key");
    char text[FILE_BYTES];
    size_t len = 0;

    (void)save_new(path, "secret");
    len = get_file(path, text);
    for (size_t i = 0; i < len; i++) {
        test_note("%zu of %zu bytes", i, len);
        put_file(path, text, i, 0600);
        check_load(path, "secret", WEFT_ERR_KEY_FILE);
    }
}

/* Hex digits that stay hex digits can be told only with the passphrase: a few of them, as each try
 * costs what a passphrase must cost. */
TEST(a_sealed_key_file_with_any_byte_changed_is_refused)
{
    const char *path = path_of("key");
    char text[FILE_BYTES];
    size_t len = 0;
    size_t hex = 0;

    (void)save_new(path, "secret");
    len = get_file(path, text);
    hex = (size_t)(strstr(text, "sealed ") - text) + 7;
    for (size_t i = 0; i < len; i++) {
        char right = text[i];
        bool is_dear = i == hex || i == hex + 31 || i == hex + 32 || i == len - 2;

        test_note("byte %zu", i);
        text[i] = '!';
        put_file(path, text, len, 0600);
        check_load(path, "secret", WEFT_ERR_KEY_FILE);
        text[i] = right == '0' ? '1' : '0';
        put_file(path, text, len, 0600);
        if (is_dear)
            check_load(path, "secret", WEFT_ERR_PASSPHRASE);
        else if (i < hex || i == len - 1)
            check_load(path, "secret", WEFT_ERR_KEY_FILE);
        text[i] = right;
    }
}

/* --- where it is kept --- */

struct place {
    const char *weft_home, *config, *home;
    const char *want; /* NULL: nowhere */
};

static void set_or_unset(const char *name, const char *value)
{
    CHECK_EQ(value == NULL ? unsetenv(name) : setenv(name, value, 1), 0);
}

static char *keep_env(const char *name)
{
    const char *value = getenv(name);

    return value == NULL ? NULL : strdup(value);
}

TEST(the_key_of_this_user_is_where_the_environment_says)
{
    static const struct place places[] = {
        {"/w", "/c", "/h", "/w/key"},
        {"w", "/c", "/h", "w/key"},
        {"", "/c", "/h", "/c/weft/key"},
        {NULL, "/c", "/h", "/c/weft/key"},
        {NULL, "c", "/h", "/h/.config/weft/key"},
        {NULL, "", "/h", "/h/.config/weft/key"},
        {NULL, NULL, "/h", "/h/.config/weft/key"},
        {NULL, NULL, "h", NULL},
        {NULL, NULL, "", NULL},
        {NULL, NULL, NULL, NULL},
    };
    static const char *const names[] = {"WEFT_HOME", "XDG_CONFIG_HOME", "HOME"};
    char *before[] = {keep_env(names[0]), keep_env(names[1]), keep_env(names[2])};

    for (size_t i = 0; i < WF_ARRAY_LEN(places); i++) {
        const struct place *p = &places[i];
        char path[64] = "before";
        size_t need = p->want == NULL ? 0 : strlen(p->want) + 1;

        test_note("place %zu", i);
        set_or_unset(names[0], p->weft_home);
        set_or_unset(names[1], p->config);
        set_or_unset(names[2], p->home);
        for (size_t cap = 0; cap < need; cap++) {
            CHECK_EQ(weft_identity_path(path, cap), WEFT_ERR_LIMIT);
            CHECK_STR_EQ(path, "before");
        }
        CHECK_EQ(weft_identity_path(path, need == 0 ? sizeof path : need),
                 need == 0 ? WEFT_ERR_NOT_FOUND : WEFT_OK);
        CHECK_STR_EQ(path, p->want == NULL ? "before" : p->want);
    }
    for (size_t i = 0; i < WF_ARRAY_LEN(names); i++) {
        set_or_unset(names[i], before[i]);
        free(before[i]);
    }
}
