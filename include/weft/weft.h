/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weft.h - everything: trust a key, seal the message, let anything carry it.
 */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include "weft/base.h"
#include "weft/file.h"
#include "weft/group.h"
#include "weft/key.h"
#include "weft/node.h"
#include "weft/pin.h"

#endif
