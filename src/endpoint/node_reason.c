/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_reason.c - what people are told: outcomes, grades and exit statuses in sentences.
 */
#include <stdio.h>

#include "endpoint/node_priv.h"

/* The code that carries an error of ours to the other end (docs/spec/3-frames.md, codes). */
uint64_t reason_code(weft_err err)
{
    switch (err) {
    case WEFT_OK:
        return WF_CODE_NONE;
    case WEFT_ERR_NOMEM:
        return WF_CODE_NOMEM;
    case WEFT_ERR_LIMIT:
        return WF_CODE_LIMIT;
    case WEFT_ERR_DENIED:
        return WF_CODE_DENIED;
    case WEFT_ERR_CANCELLED:
        return WF_CODE_CANCELLED;
    default:
        return WF_CODE_APPLICATION + (uint64_t)err;
    }
}

const char *weft_grade_text(weft_grade grade)
{
    switch (grade) {
    case WEFT_GRADE_NOBODY:
        return "sealed, from somebody who showed no key";
    case WEFT_GRADE_EARLY:
        return "sealed, sender proved, forward secret within four minutes";
    case WEFT_GRADE_FULL:
        return "sealed, sender proved, forward secret";
    case WEFT_GRADE_GROUP:
        return "sealed inside a group, sender proved, forward secret; but a later loss of the "
               "server's key shows who called";
    case WEFT_GRADE_GROUP_EARLY:
        return "sealed inside a group, sender proved; a later loss of the server's key shows it "
               "and who called";
    case WEFT_GRADE_NONE:
        break;
    }
    return "not protected";
}

const char *weft_outcome_text(const weft_outcome *o)
{
    static _Thread_local char text[256];

    switch (o->kind) {
    case WEFT_DELIVERED:
        return "delivered";
    case WEFT_REPLIED:
        return "replied";
    case WEFT_FAILED:
        (void)snprintf(text, sizeof text, "it did not get through: %s", weft_strerror(o->err));
        return text;
    case WEFT_EXPIRED:
        return "no answer in the time given; it may have arrived";
    case WEFT_UNKNOWN:
        (void)snprintf(text, sizeof text, "the connection was lost, it may have arrived: %s",
                       weft_strerror(o->err));
        return text;
    }
    return "an outcome this version does not know";
}

int weft_exit(weft_err err)
{
    if (err == WEFT_OK)
        return 0;
    (void)fprintf(stderr, "weft: %s\n", weft_strerror(err));
    return 1;
}
