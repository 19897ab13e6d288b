/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wycheproof.c - see wycheproof.h.
 */
#include "support/wycheproof.h"

#include <jansson.h>

#include "base/bytes.h"
#include "test.h"

static const char *text_of(const json_t *object, const char *field)
{
    return json_string_value(json_object_get(object, field));
}

size_t wycheproof_each(const char *file, void (*each)(const struct wycheproof_case *c, void *ctx),
                       void *ctx)
{
    size_t len = 0;
    char *text = test_vectors(file, &len);
    json_t *root = json_loadb(text, len, 0, NULL);
    size_t count = 0;
    size_t g = 0;
    json_t *group = NULL;

    free(text);
    CHECK(root != NULL);
    json_array_foreach(json_object_get(root, "testGroups"), g, group)
    {
        size_t t = 0;
        json_t *test = NULL;

        json_array_foreach(json_object_get(group, "tests"), t, test)
        {
            const struct wycheproof_case c = {group, test,
                                              strcmp(text_of(test, "result"), "valid") == 0};

            test_note("%s, test %d: %s", file,
                      (int)json_integer_value(json_object_get(test, "tcId")),
                      text_of(test, "comment"));
            each(&c, ctx);
            count++;
        }
    }
    json_decref(root);
    return count;
}

static uint8_t *from_hex(const char *hex, size_t *len)
{
    if (hex == NULL)
        return NULL;
    *len = strlen(hex) / 2;

    uint8_t *bytes = test_copy_padded(NULL, 0, *len);

    CHECK(wf_unhex(bytes, *len, hex));
    return bytes;
}

uint8_t *wycheproof_bytes(const struct wycheproof_case *c, const char *field, size_t *len)
{
    const char *hex = text_of(c->test, field);

    return from_hex(hex != NULL ? hex : text_of(c->group, field), len);
}

uint8_t *wycheproof_group_bytes(const struct wycheproof_case *c, const char *object,
                                const char *field, size_t *len)
{
    return from_hex(text_of(json_object_get(c->group, object), field), len);
}
