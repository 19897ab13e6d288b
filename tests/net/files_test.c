/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files_test.c - small files at a stroke, folders, files that come in part.
 */
#include "net/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "net/os_error.h"
#include "test.h"

#define PATH_LEN 512

/* A path in the test's folder; two may be held at once. */
static const char *path_of(const char *name)
{
    static char paths[2][PATH_LEN];
    static unsigned turn;
    char *path = paths[turn++ % 2];

    (void)snprintf(path, PATH_LEN, "%s/%s", test_folder(), name);
    return path;
}

static void put(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQ(fchmod(fd, mode), 0);
    CHECK_EQ(close(fd), 0);
}

static struct wf_file_rules rules_of(struct wf_mem *mem)
{
    return (struct wf_file_rules){.len_max = 64, .mem = mem};
}

/* Checks that the file has exactly this text. */
static void check_text(const char *path, const char *text)
{
    struct wf_file_rules rules = {.len_max = 1 << 20, .mem = test_mem()};
    uint8_t *data = NULL;
    size_t len = 0;

    CHECK_OK(wf_file_read(path, &rules, &data, &len));
    CHECK_EQ(len, strlen(text));
    CHECK_MEM_EQ(data, text, len);
    wf_free(rules.mem, data, len);
}

static size_t entries(void)
{
    char command[PATH_LEN];
    char line[32] = {0};
    (void)snprintf(command, sizeof command, "ls -A '%s' | wc -l", test_folder());
    FILE *p = popen(command, "r");
    CHECK(p != NULL);
    CHECK(fgets(line, sizeof line, p) != NULL);
    (void)pclose(p);
    return strtoul(line, NULL, 10);
}

TEST(a_file_comes_back_as_it_was_written)
{
    const char *path = path_of("f");
    struct stat st;

    CHECK_OK(wf_file_write(path, wf_span_of("hello"), 0640));
    check_text(path, "hello");
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0640);
    CHECK_OK(wf_file_write(path, wf_span_of(""), 0600));
    check_text(path, "");
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);
    CHECK_EQ(entries(), 1); /* nothing temporary is left */
}

TEST(the_umask_does_not_change_the_mode_asked_for)
{
    struct stat st;
    mode_t before = umask(0777);
    weft_err err = wf_file_write(path_of("f"), wf_span_of("x"), 0644);

    (void)umask(before);
    CHECK_OK(err);
    CHECK_EQ(stat(path_of("f"), &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0644);
}

TEST(create_refuses_a_name_that_exists_and_leaves_it_alone)
{
    CHECK_OK(wf_file_create(path_of("f"), wf_span_of("first"), 0600));
    CHECK_EQ(wf_file_create(path_of("f"), wf_span_of("second"), 0600), WEFT_ERR_EXISTS);
    check_text(path_of("f"), "first");
    CHECK_EQ(entries(), 1);
}

TEST(a_replaced_file_keeps_its_old_content_for_who_has_it_open)
{
    char text[4] = {0};

    CHECK_OK(wf_file_write(path_of("f"), wf_span_of("old"), 0600));
    int fd = open(path_of("f"), O_RDONLY);
    CHECK(fd >= 0);
    CHECK_OK(wf_file_write(path_of("f"), wf_span_of("new"), 0600));
    CHECK_EQ(read(fd, text, 3), 3);
    CHECK_STR_EQ(text, "old");
    (void)close(fd);
    check_text(path_of("f"), "new");
}

TEST(a_file_longer_than_allowed_is_refused)
{
    struct wf_mem *mem = test_mem();
    struct wf_file_rules rules = {.len_max = 5, .mem = mem};
    uint8_t *data = NULL;
    size_t len = 99;

    put(path_of("f"), "123456", 0600);
    CHECK_EQ(wf_file_read(path_of("f"), &rules, &data, &len), WEFT_ERR_LIMIT);
    CHECK(data == NULL);
    CHECK_EQ(len, 99);
    rules.len_max = 6;
    CHECK_OK(wf_file_read(path_of("f"), &rules, &data, &len));
    CHECK_EQ(len, 6);
    wf_free(mem, data, len);
}

TEST(reading_without_memory_or_without_a_file_says_so)
{
    struct wf_mem *mem = test_mem();
    struct wf_file_rules rules = rules_of(mem);
    uint8_t *data = NULL;
    size_t len = 0;

    CHECK_EQ(wf_file_read(path_of("none"), &rules, &data, &len), WEFT_ERR_NOT_FOUND);
    CHECK_EQ(wf_file_read(path_of("no/such"), &rules, &data, &len), WEFT_ERR_NOT_FOUND);
    put(path_of("f"), "x", 0600);
    CHECK_EQ(wf_file_read(path_of("f/x"), &rules, &data, &len), WEFT_ERR_NOT_FOUND);
    mem->fail_at = mem->attempts + 1;
    CHECK_EQ(wf_file_read(path_of("f"), &rules, &data, &len), WEFT_ERR_NOMEM);
    CHECK(data == NULL);
}

TEST(a_key_that_anybody_else_can_touch_is_refused)
{
    struct wf_mem *mem = test_mem();
    struct wf_file_rules rules = rules_of(mem);
    uint8_t *data = NULL;
    size_t len = 0;

    rules.owner_only = true;
    put(path_of("key"), "secret", 0600);
    for (unsigned bit = 0; bit < 6; bit++) {
        mode_t mode = 0600u | 1u << bit;
        test_note("mode 0%o", (unsigned)mode);
        CHECK_EQ(chmod(path_of("key"), mode), 0);
        CHECK_EQ(wf_file_read(path_of("key"), &rules, &data, &len), WEFT_ERR_KEY_EXPOSED);
        CHECK(data == NULL);
    }
    CHECK_EQ(chmod(path_of("key"), 0400), 0);
    CHECK_OK(wf_file_read(path_of("key"), &rules, &data, &len));
    wf_free(mem, data, len);
}

TEST(a_symbolic_link_is_followed_only_where_it_may_be)
{
    struct wf_mem *mem = test_mem();
    struct wf_file_rules rules = rules_of(mem);
    uint8_t *data = NULL;
    size_t len = 0;

    put(path_of("f"), "x", 0600);
    CHECK_EQ(symlink("f", path_of("link")), 0);
    CHECK_OK(wf_file_read(path_of("link"), &rules, &data, &len));
    wf_free(mem, data, len);
    data = NULL;
    rules.no_link = true;
    CHECK_EQ(wf_file_read(path_of("link"), &rules, &data, &len), WEFT_ERR_DENIED);
    CHECK(data == NULL);
}

TEST(writing_over_a_symbolic_link_replaces_the_link_and_not_its_target)
{
    struct stat st;

    put(path_of("target"), "precious", 0600);
    CHECK_EQ(symlink("target", path_of("link")), 0);
    CHECK_OK(wf_file_write(path_of("link"), wf_span_of("new"), 0600));
    check_text(path_of("target"), "precious");
    check_text(path_of("link"), "new");
    CHECK_EQ(lstat(path_of("link"), &st), 0);
    CHECK(S_ISREG(st.st_mode));
}

TEST(what_is_no_regular_file_is_refused_without_waiting)
{
    struct wf_mem *mem = test_mem();
    struct wf_file_rules rules = rules_of(mem);
    uint8_t *data = NULL;
    size_t len = 0;

    CHECK_EQ(mkfifo(path_of("pipe"), 0600), 0);
    CHECK_EQ(mkdir(path_of("dir"), 0700), 0);
    CHECK_EQ(wf_file_read(path_of("pipe"), &rules, &data, &len), WEFT_ERR_DENIED);
    CHECK_EQ(wf_file_read(path_of("dir"), &rules, &data, &len), WEFT_ERR_DENIED);
    CHECK_EQ(wf_file_read("/dev/null", &rules, &data, &len), WEFT_ERR_DENIED);
}

TEST(a_path_without_a_file_name_is_refused)
{
    char name[WF_FILE_NAME_MAX + 2];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK_EQ(wf_file_write("", wf_span_of("x"), 0600), WEFT_ERR_USAGE);
    CHECK_EQ(wf_file_write(path_of(""), wf_span_of("x"), 0600), WEFT_ERR_USAGE);
    CHECK_EQ(wf_file_write(path_of(name), wf_span_of("x"), 0600), WEFT_ERR_USAGE);
    CHECK_EQ(wf_file_write(path_of("no/such"), wf_span_of("x"), 0600), WEFT_ERR_NOT_FOUND);
    CHECK_OK(wf_file_write(path_of(name + 1), wf_span_of("x"), 0600));
}

/* In a child whose files may have 4096 bytes: 0 when all went as it should. */
static int write_with_full_disk(void)
{
    struct rlimit limit = {4096, 4096};
    static uint8_t big[8192];
    struct wf_folder folder;
    struct wf_part part;

    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    if (wf_file_write(path_of("f"), wf_span(big, sizeof big), 0600) != WEFT_ERR_NO_SPACE)
        return 2;
    if (wf_file_write(path_of("f"), wf_span(big, 4096), 0600) != WEFT_OK)
        return 3;
    if (wf_folder_open(&folder, test_folder()) != WEFT_OK)
        return 4;
    if (wf_part_open(&part, &folder, wf_span_of(".weft-p")) != WEFT_OK)
        return 5;
    if (wf_part_write(&part, 0, wf_span(big, 4000)) != WEFT_OK || part.len != 4000)
        return 6;
    if (wf_part_write(&part, 4000, wf_span(big, 1000)) != WEFT_ERR_NO_SPACE || part.len != 4096)
        return 7;
    return 0;
}

TEST(a_full_disk_is_an_error_and_the_old_file_stays_whole)
{
    put(path_of("f"), "old", 0600);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(write_with_full_disk());
    int status = 0;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
    CHECK_EQ(entries(), 2); /* the file and the part, nothing temporary */
}

TEST(a_failed_write_leaves_the_old_file_and_nothing_else)
{
    static uint8_t big[8192];
    struct rlimit before;
    struct rlimit small = {0};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

    put(path_of("f"), "old", 0600);
    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    weft_err err = wf_file_write(path_of("f"), wf_span(big, sizeof big), 0600);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    CHECK_EQ(err, WEFT_ERR_NO_SPACE);
    check_text(path_of("f"), "old");
    CHECK_EQ(entries(), 1);
}

TEST(a_folder_path_is_made_with_its_parents)
{
    struct wf_folder f = {.fd = -1};
    struct stat st;

    CHECK_EQ(wf_folder_open(&f, path_of("a")), WEFT_ERR_NOT_FOUND);
    CHECK_OK(wf_folder_make(&f, path_of("a/b//c"), 0700));
    wf_folder_close(&f);
    CHECK_EQ(f.fd, -1);
    CHECK_EQ(stat(path_of("a/b/c"), &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0700);
    CHECK_OK(wf_folder_make(&f, path_of("a/b/c/"), 0700)); /* there already */
    wf_folder_close(&f);
    put(path_of("f"), "x", 0600);
    CHECK_EQ(wf_folder_make(&f, path_of("f"), 0700), WEFT_ERR_NOT_FOUND);
    CHECK_EQ(wf_folder_make(&f, path_of("f/g"), 0700), WEFT_ERR_NOT_FOUND);
    CHECK_EQ(wf_folder_make(&f, "", 0700), WEFT_ERR_USAGE);
    CHECK_OK(wf_folder_make(&f, "/", 0700));
    wf_folder_close(&f);
}

TEST(a_name_from_a_peer_opens_only_regular_files_of_the_folder)
{
    static const char *const refused[] = {"..",          ".",    "",    "../f", "dir/inner",
                                          "/etc/passwd", "link", "dir", "pipe", ".weft-part"};
    struct wf_folder f;
    int fd = -1;
    uint64_t len = 0;

    CHECK_EQ(mkdir(path_of("dir"), 0700), 0);
    put(path_of("f"), "12345", 0600);
    put(path_of("dir/inner"), "x", 0600);
    put(path_of(".weft-part"), "x", 0600);
    CHECK_EQ(symlink("f", path_of("link")), 0);
    CHECK_EQ(mkfifo(path_of("pipe"), 0600), 0);
    CHECK_OK(wf_folder_open(&f, test_folder()));
    for (size_t i = 0; i < WF_ARRAY_LEN(refused); i++) {
        test_note("\"%s\"", refused[i]);
        CHECK_EQ(wf_folder_open_file(&f, wf_span_of(refused[i]), &fd, &len), WEFT_ERR_DENIED);
        CHECK_EQ(fd, -1);
    }
    CHECK_EQ(wf_folder_open_file(&f, wf_span_of("none"), &fd, &len), WEFT_ERR_NOT_FOUND);
    CHECK_OK(wf_folder_open_file(&f, wf_span_of("f"), &fd, &len));
    CHECK_EQ(len, 5);
    CHECK_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    (void)close(fd);
    wf_folder_close(&f);
}

TEST(removing_takes_a_name_of_the_folder_alone)
{
    struct wf_folder f;

    put(path_of("f"), "x", 0600);
    CHECK_OK(wf_folder_open(&f, test_folder()));
    CHECK_EQ(wf_folder_remove(&f, wf_span_of("../f")), WEFT_ERR_DENIED);
    CHECK_OK(wf_folder_remove(&f, wf_span_of("f")));
    CHECK_EQ(wf_folder_remove(&f, wf_span_of("f")), WEFT_ERR_NOT_FOUND);
    wf_folder_close(&f);
}

TEST(a_part_is_resumed_where_it_stopped_and_then_gets_its_name)
{
    struct wf_folder f;
    struct wf_part part = {.fd = -1};
    uint8_t back[16] = {0};
    size_t got = 0;

    CHECK_OK(wf_folder_open(&f, test_folder()));
    CHECK_OK(wf_part_open(&part, &f, wf_span_of(".weft-part-1")));
    CHECK_EQ(part.len, 0);
    CHECK_OK(wf_part_write(&part, 0, wf_span_of("hello ")));
    CHECK_OK(wf_part_sync(&part));
    wf_part_close(&part);
    wf_part_close(&part);

    CHECK_OK(wf_part_open(&part, &f, wf_span_of(".weft-part-1")));
    CHECK_EQ(part.len, 6);
    CHECK_OK(wf_part_write(&part, 6, wf_span_of("world!!")));
    CHECK_OK(wf_part_truncate(&part, 11));
    CHECK_EQ(part.len, 11);
    CHECK_OK(wf_part_read(&part, 3, back, sizeof back, &got));
    CHECK_EQ(got, 8);
    CHECK_MEM_EQ(back, "lo world", 8);
    CHECK_OK(wf_part_read(&part, 11, back, sizeof back, &got));
    CHECK_EQ(got, 0);
    CHECK_OK(wf_part_finish(&part, wf_span_of("whole"), false));
    CHECK_EQ(part.fd, -1);
    check_text(path_of("whole"), "hello world");
    CHECK_EQ(entries(), 1);
    wf_folder_close(&f);
}

TEST(finishing_never_overwrites_unless_told_to)
{
    struct wf_folder f;
    struct wf_part part;

    put(path_of("name"), "old", 0600);
    CHECK_OK(wf_folder_open(&f, test_folder()));
    CHECK_OK(wf_part_open(&part, &f, wf_span_of(".weft-p")));
    CHECK_OK(wf_part_write(&part, 0, wf_span_of("new")));
    CHECK_EQ(wf_part_finish(&part, wf_span_of("name"), false), WEFT_ERR_EXISTS);
    CHECK_EQ(wf_part_finish(&part, wf_span_of("../name"), true), WEFT_ERR_DENIED);
    CHECK_EQ(wf_part_finish(&part, wf_span_of(".weft-q"), true), WEFT_ERR_DENIED);
    check_text(path_of("name"), "old");
    CHECK_OK(wf_part_finish(&part, wf_span_of("name"), true));
    check_text(path_of("name"), "new");
    wf_folder_close(&f);
}

TEST(a_part_has_one_writer)
{
    struct wf_folder f;
    struct wf_part one;
    struct wf_part two = {.fd = -1};

    CHECK_OK(wf_folder_open(&f, test_folder()));
    CHECK_OK(wf_part_open(&one, &f, wf_span_of(".weft-p")));
    CHECK_EQ(wf_part_open(&two, &f, wf_span_of(".weft-p")), WEFT_ERR_STATE);
    CHECK_EQ(two.fd, -1);
    wf_part_discard(&one);
    CHECK_EQ(entries(), 0);
    CHECK_OK(wf_part_open(&two, &f, wf_span_of(".weft-p")));
    wf_part_discard(&two);
    wf_part_discard(&two);
    wf_folder_close(&f);
}

TEST(a_part_that_is_a_link_or_linked_elsewhere_is_refused)
{
    struct wf_folder f;
    struct wf_part part = {.fd = -1};

    put(path_of("precious"), "x", 0600);
    CHECK_EQ(symlink("precious", path_of(".weft-a")), 0);
    CHECK_EQ(link(path_of("precious"), path_of(".weft-b")), 0);
    CHECK_EQ(mkfifo(path_of(".weft-c"), 0600), 0);
    CHECK_OK(wf_folder_open(&f, test_folder()));
    CHECK_EQ(wf_part_open(&part, &f, wf_span_of(".weft-a")), WEFT_ERR_DENIED);
    CHECK_EQ(wf_part_open(&part, &f, wf_span_of(".weft-b")), WEFT_ERR_DENIED);
    CHECK_EQ(wf_part_open(&part, &f, wf_span_of(".weft-c")), WEFT_ERR_DENIED);
    CHECK_EQ(wf_part_open(&part, &f, wf_span_of("plain")), WEFT_ERR_USAGE);
    CHECK_EQ(wf_part_open(&part, &f, wf_span_of(".weft-/x")), WEFT_ERR_USAGE);
    CHECK_EQ(part.fd, -1);
    wf_folder_close(&f);
}

TEST(places_beyond_what_a_file_can_have_are_refused)
{
    struct wf_folder f;
    struct wf_part part;
    uint8_t byte = 0;
    size_t got = 9;

    CHECK_OK(wf_folder_open(&f, test_folder()));
    CHECK_OK(wf_part_open(&part, &f, wf_span_of(".weft-p")));
    CHECK_EQ(wf_part_write(&part, UINT64_MAX, wf_span(&byte, 1)), WEFT_ERR_USAGE);
    CHECK_EQ(wf_part_write(&part, (uint64_t)INT64_MAX, wf_span(&byte, 1)), WEFT_ERR_USAGE);
    CHECK_EQ(wf_part_read(&part, UINT64_MAX, &byte, 1, &got), WEFT_ERR_USAGE);
    CHECK_EQ(wf_part_truncate(&part, UINT64_MAX), WEFT_ERR_USAGE);
    CHECK_EQ(part.len, 0);
    CHECK_EQ(got, 9);
    wf_part_discard(&part);
    wf_folder_close(&f);
}

TEST(errno_has_its_meaning_for_files_and_for_sockets)
{
    CHECK_EQ(wf_file_error(ENOENT), WEFT_ERR_NOT_FOUND);
    CHECK_EQ(wf_file_error(EEXIST), WEFT_ERR_EXISTS);
    CHECK_EQ(wf_file_error(EACCES), WEFT_ERR_DENIED);
    CHECK_EQ(wf_file_error(ELOOP), WEFT_ERR_DENIED);
    CHECK_EQ(wf_file_error(ENOSPC), WEFT_ERR_NO_SPACE);
    CHECK_EQ(wf_file_error(EDQUOT), WEFT_ERR_NO_SPACE);
    CHECK_EQ(wf_file_error(ENOMEM), WEFT_ERR_NOMEM);
    CHECK_EQ(wf_file_error(EMFILE), WEFT_ERR_LIMIT);
    CHECK_EQ(wf_file_error(EIO), WEFT_ERR_IO);
    CHECK_EQ(wf_socket_error(EADDRINUSE), WEFT_ERR_IN_USE);
    CHECK_EQ(wf_socket_error(EACCES), WEFT_ERR_DENIED);
    CHECK_EQ(wf_socket_error(EPERM), WEFT_ERR_DENIED);
    CHECK_EQ(wf_socket_error(ENOMEM), WEFT_ERR_NOMEM);
    CHECK_EQ(wf_socket_error(ENFILE), WEFT_ERR_LIMIT);
    CHECK_EQ(wf_socket_error(EINVAL), WEFT_ERR_IO);
}
