"""Which of the 478 landmarks are what, and what is followed by them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: (478, 2) float64: x, y in pixels of the picture, from its upper left corner.
Landmarks = NDArray[np.float64]

# Indices into MediaPipe's face mesh. Source: face_mesh_connections.py in the MediaPipe repository.
LIPS_RIM = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
LIPS_INSIDE = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
#: Middle of the right and the left lids.
UPPER_LIDS, LOWER_LIDS = (159, 386), (145, 374)
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

#: Outer corners of the right and the left eye; their distance is the measure of a face.
EYE_CORNERS = (33, 263)
#: Around the mouth (both cheeks beside it) and around the eyes (both cheekbones): skin that stays skin.
CHEEKS = (205, 425, 50, 280)

#: What moves by itself and is never followed.
LIDS = (RIGHT_EYE, LEFT_EYE)
MOVING_RIMS = (LIPS_RIM, *LIDS)

# What moves with the skull alone: nose, forehead, temples, cheekbones and the corners of the eyes.
RIGID = (
    1, 2, 4, 5, 6, 8, 9, 10, 19, 33, 44, 45, 48, 64, 67, 94, 97, 98, 103, 109, 115, 122, 127, 129, 133,
    151, 162, 168, 193, 195, 196, 197, 220, 234, 235, 240, 244, 245, 263, 274, 275, 278, 294, 297, 326,
    327, 332, 338, 344, 351, 356, 358, 362, 389, 417, 419, 440, 454, 455, 460, 464, 465,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    A part of the face that is followed on its own.

    Args:
        tight: landmarks whose tight box an overlay covers.
        skin: half axes of the ellipse around the part whose skin is followed, in distances between
            the outer eye corners.
        clearance: how far the skin must be from lips and lids, in the same measure.
    """

    tight: tuple[int, ...]
    skin: tuple[float, float]
    clearance: float


# Found on real clips: near the lips the skin goes with every word, so the mouth is held by all of the
# lower face; near the eyes a narrow band leaves the brows out, which rise by themselves.
PARTS = {
    "mouth": Part(tight=LIPS_RIM + LIPS_INSIDE, skin=(0.90, 0.75), clearance=0.15),
    "eyes": Part(tight=RIGHT_EYE + LEFT_EYE, skin=(0.75, 0.20), clearance=0.06),
}

#: Boxes that are carried along by a part's motion: name -> (part, landmarks of the tight box).
CARRIED = {"left_eye": ("eyes", LEFT_EYE), "right_eye": ("eyes", RIGHT_EYE)}

#: What must be covered while it is open, and its height over its width that it then has at least. Of 36
#: faces with boxes drawn by people nine in ten have more (London and 3DSK sets; both eyes .095 to .168).
OPENED = {"eyes": 0.11, "left_eye": 0.32, "right_eye": 0.32}


def eyes_across(shape: NDArray[np.complex128]) -> complex:
    """From the outer corner of the right eye to that of the left, of (478,) landmarks as x + iy."""
    right, left = EYE_CORNERS
    return complex(shape[left] - shape[right])


#: Each part with the skin around it, up to the nose, the chin and the brows: what a hand in front of it
#: hides. The mouth's inside and the irises are left out, which look new with every word and glance.
AREAS = {
    "mouth": (
        0, 11, 12, 15, 16, 17, 18, 32, 37, 38, 39, 40, 41, 42, 43, 57, 61, 62, 72, 73, 74, 76, 77, 83,
        84, 85, 86, 89, 90, 91, 92, 96, 106, 146, 164, 165, 167, 170, 179, 180, 181, 182, 183, 184,
        185, 186, 194, 200, 201, 202, 204, 206, 211, 216, 262, 267, 268, 269, 270, 271, 272, 273, 287,
        291, 292, 302, 303, 304, 306, 307, 313, 314, 315, 316, 319, 320, 321, 322, 325, 335, 375, 391,
        393, 395, 403, 404, 405, 406, 407, 408, 409, 410, 418, 421, 422, 424, 426, 431,
    ),
    "eyes": (
        3, 6, 7, 8, 9, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 33, 35, 46, 47, 52, 53, 55, 56, 63, 65,
        66, 70, 105, 107, 110, 111, 112, 113, 114, 117, 118, 119, 120, 121, 122, 124, 128, 130, 133,
        144, 145, 153, 154, 155, 157, 158, 159, 160, 161, 163, 168, 173, 174, 188, 189, 190, 193, 195,
        196, 197, 221, 222, 223, 224, 225, 226, 228, 229, 230, 231, 232, 233, 243, 244, 245, 246, 247,
        248, 249, 252, 253, 254, 255, 256, 257, 258, 259, 260, 261, 263, 265, 276, 277, 282, 283, 285,
        286, 293, 295, 296, 300, 334, 336, 339, 340, 341, 342, 343, 346, 347, 348, 349, 350, 351, 353,
        357, 359, 362, 373, 374, 380, 381, 382, 384, 385, 386, 387, 388, 390, 398, 399, 412, 413, 414,
        417, 419, 441, 442, 443, 444, 445, 446, 448, 449, 450, 451, 452, 453, 463, 464, 465, 466, 467,
    ),
}  # fmt: skip
#: Of these, what a child would draw: lips, lids and brows, darker than skin on nearly every face.
DRAWN = (
    0, 11, 12, 15, 16, 17, 37, 38, 39, 40, 41, 42, 61, 62, 72, 73, 74, 76, 77, 84, 85, 86, 89, 90, 91,
    96, 146, 179, 180, 181, 183, 184, 185, 267, 268, 269, 270, 271, 272, 291, 292, 302, 303, 304, 306,
    307, 314, 315, 316, 319, 320, 321, 325, 375, 403, 404, 405, 407, 408, 409, 7, 33, 46, 52, 53, 55,
    63, 65, 66, 70, 105, 107, 133, 144, 145, 153, 154, 155, 157, 158, 159, 160, 161, 163, 173, 246,
    249, 263, 276, 282, 283, 285, 293, 295, 296, 300, 334, 336, 362, 373, 374, 380, 381, 382, 384,
    385, 386, 387, 388, 390, 398, 466,
)  # fmt: skip

#: Lids and the skin around them, of the right and the left eye.
EYE_SURROUNDINGS = (
    (*RIGHT_EYE, 22, 23, 24, 25, 26, 27, 28, 29, 30, 56, 110, 112, 130, 190, 243, 247),
    (*LEFT_EYE, 252, 253, 254, 255, 256, 257, 258, 259, 260, 286, 339, 341, 359, 414, 463, 467),
)
#: The cheek between nose and corner of the mouth, on the same sides: no glasses and hardly a hair hides it.
LOWER_CHEEKS = ((92, 186, 206, 216), (322, 410, 426, 436))
