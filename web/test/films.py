"""
Films whose every frame says which one it is, and timelines that say where it must be drawn.

``python films.py FOLDER`` fills FOLDER with packs:

* ``code_24``, ``code_30``, ``code_60``, ``code_vfr``, ``code_offset``: the frame's number stands in the
  picture as ten black or white blocks; the timeline moves the mouth to another cell for every frame, so the
  place of the sprite says which frame the page believed it was drawing.
* ``code_mp4``, ``code_mp4_offset``: the same as H.264 with B-frames in MP4, the second with a start offset;
  ``code_mp4_fragments`` in fragments.
* ``square``: a green rectangle that moves, turns and grows; the sprite belongs on its middle.
* ``alpha``: transparent but for a disc.
* ``gap``: nobody in the picture in the middle of the film.
* ``document``, ``document_first``: a pack with exactly the manifest and sprite sizes of the first packs,
  circles in the sprites, and boxes as flat as landmarks give them; the second's timeline is one of the
  first version.
* ``lit``: a real face, read by anchord, in a light that changes in strength and colour; its sprites are cut
  from the first picture.
* ``full``: everything a pack can have, at full size: what drawing costs at most.
* ``camera.mjpeg``: no pack: what Chromium's camera sees, the portrait breathing.
* ``face``: sprites of one colour each, for everything else.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

VISEMES = ["REST", "AA", "EE", "OH", "OO", "FF", "TH"]
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255), (0, 255, 255), (255, 128, 0)]
BLOCK_PX, CELLS_ACROSS, CELL_PX = 24, 8, 30


VP9 = {"crf": "20", "b:v": "0", "cpu-used": "8", "deadline": "realtime"}
H264 = {"crf": "12", "bf": "2", "preset": "veryfast"}


# Pieces of a fifth of a second, as recorders and streaming servers write them.
FRAGMENTED = {"movflags": "empty_moov+default_base_moof", "frag_duration": "200000"}


def encode(
    path: Path, frames: list[np.ndarray], times_ms: list[int], muxing: dict[str, str] | None = None
) -> None:
    """Write RGB or RGBA *frames*, shown at *times_ms*, as VP9 or (.mp4) H.264 with one keyframe."""
    height, width, channels = frames[0].shape
    is_mp4 = path.suffix == ".mp4"
    with av.open(str(path), "w", format="mp4" if is_mp4 else "webm", options=muxing or {}) as container:
        codec, options = ("libx264", H264) if is_mp4 else ("libvpx-vp9", VP9)
        stream = container.add_stream(codec, rate=30, options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuva420p" if channels == 4 else "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        if channels == 4:
            stream.metadata["alpha_mode"] = "1"
        for pixels, time_ms in zip(frames, times_ms, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba" if channels == 4 else "rgb24")
            frame = frame.reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def timeline(
    path: Path, times_ms: list[int], mouths: list[dict], size: tuple[int, int], end_ms: int, **changes: object
) -> None:
    """Write the timeline of *path* with one sample a frame; the eyes sit still."""
    eyes = {"x": 10, "y": 10, "w": 20, "h": 10, "cx": 20, "cy": 15, "roll": 0}
    width, height = size
    document = {
        "version": 1,
        "source": {
            "video": path.name,
            "fps": 30,
            "frame_count": len(times_ms),
            "width": width,
            "height": height,
            "sample_every_n_frames": 1,
            "duration_ms": end_ms - times_ms[0],
            "start_ms": times_ms[0],
            "size": path.stat().st_size,
            "sha256": "0" * 64,
        },
        "target": {"width": width, "height": height, "fit": "contain"},
        "config": {"mouth_padding": 1.5, "eyes_padding": 1.3},
        "loop": {"closed": True, "seam_px": 0.0},
        "quality": {"coverage": 1.0, "gaps": [], "warnings": []},
        "frames": [
            {"frame": i, "time_ms": time_ms, "status": "tracked", "mouth": mouth, "eyes": eyes}
            for i, (time_ms, mouth) in enumerate(zip(times_ms, mouths, strict=True))
            if mouth is not None
        ],
    }
    for key, value in changes.items():
        document[key] = {**document.get(key, {}), **value} if isinstance(value, dict) else value
    (path.parent / "anchors_timeline.json").write_text(json.dumps(document))


def pack(
    folder: Path,
    size: tuple[int, int],
    sprite: tuple[int, int],
    *,
    base: tuple[int, int, int] = (90, 60, 160),
    anchor: dict | None = None,
    video: str = "idle.webm",
) -> Path:
    """Make *folder* a pack of plain colours: a still face, and a mouth for every viseme."""
    folder.mkdir(parents=True, exist_ok=True)
    width, height = size
    w, h = sprite
    write_png(folder / "base_face.png", np.full((height, width, 3), base, np.uint8))
    sheet = np.concatenate([np.full((h, w, 3), colour, np.uint8) for colour in COLOURS], axis=1)
    write_png(folder / "mouth_sprites.png", sheet)
    write_png(folder / "mouth_mask.png", np.full((h, w, 3), 255, np.uint8))
    (folder / "manifest.json").write_text(
        json.dumps(
            {
                "id": folder.name,
                "displayName": f"Test {folder.name}",
                "version": "1",
                "base": {
                    "type": "image",
                    "src": "base_face.png",
                    "width": width,
                    "height": height,
                    "idleVideo": video,
                },
                "mouth": {
                    "spritesheet": "mouth_sprites.png",
                    "mask": "mouth_mask.png",
                    "frameWidth": w,
                    "frameHeight": h,
                    "visemes": VISEMES,
                    "anchor": anchor or box(w / 2, h / 2, w, h),
                    "featherPx": 0,
                },
                "eyes": {
                    "frames": {},
                    "mask": "mouth_mask.png",
                    "anchor": {"x": 140, "y": 240, "w": 232, "h": 80},
                    "featherPx": 0,
                },
                "mapping": {},
            }
        )
    )
    return folder / video


def write_png(path: Path, rgb: np.ndarray) -> None:
    code = cv2.COLOR_RGBA2BGRA if rgb.shape[2] == 4 else cv2.COLOR_RGB2BGR
    cv2.imwrite(str(path), cv2.cvtColor(rgb, code))


def box(cx: float, cy: float, w: float, h: float, roll: float = 0.0) -> dict:
    return {"x": cx - w / 2, "y": cy - h / 2, "w": w, "h": h, "cx": cx, "cy": cy, "roll": roll}


def cell(i: int) -> tuple[float, float]:
    """Centre of the cell of frame *i*; a snake, so that neighbours in time are neighbours in the picture."""
    row, column = divmod(i, CELLS_ACROSS)
    column = column if row % 2 == 0 else CELLS_ACROSS - 1 - column
    return CELL_PX * (column + 0.5), 50 + CELL_PX * (row + 0.5)


def coded(i: int) -> np.ndarray:
    pixels = np.full((320, 256, 3), 70, np.uint8)
    for bit in range(10):
        pixels[:BLOCK_PX, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = 255 if i >> bit & 1 else 0
    return pixels


def code_film(
    folder: Path,
    times_ms: list[int],
    end_ms: int,
    name: str = "idle.webm",
    muxing: dict[str, str] | None = None,
) -> None:
    video = pack(folder, (256, 320), (16, 16), video=name)
    # A last bit that flips with every frame keeps the encoder from dropping one as unchanged.
    encode(video, [coded(i) for i in range(len(times_ms))], times_ms, muxing)
    timeline(video, times_ms, [box(*cell(i), 16, 16) for i in range(len(times_ms))], (256, 320), end_ms)


def square_film(folder: Path) -> None:
    # The rectangle as it is when nothing has moved, turned or grown.
    still = box(256, 320, 80, 40)
    video = pack(folder, (512, 640), (80, 40), anchor=still)
    times_ms = [round(i * 1000 / 30) for i in range(60)]
    frames, mouths = [], []
    for time_ms in times_ms:
        turn = 2 * math.pi * time_ms / 2000
        cx, cy = 256 + 70.3 * math.sin(turn), 320 + 50.7 * math.cos(turn)
        roll, scale = 20 * math.sin(turn), 1 + 0.2 * math.cos(turn)
        pixels = np.full((640, 512, 3), 70, np.uint8)
        c, s = math.cos(math.radians(roll)) * scale, math.sin(math.radians(roll)) * scale
        corners = np.array(
            [
                (cx + c * x - s * y, cy + s * x + c * y)
                for x, y in ((-80, -40), (80, -40), (80, 40), (-80, 40))
            ]
        )
        # OpenCV counts from the middle of a pixel, a canvas from its corner.
        cv2.fillConvexPoly(
            pixels, np.round((corners - 0.5) * 16).astype(np.int32), (0, 255, 0), cv2.LINE_AA, 4
        )
        frames.append(pixels)
        mouths.append(box(cx, cy, 80 * scale, 40 * scale, roll))
    encode(video, frames, times_ms)
    reference = {"time_ms": 0, "mouth": still, "eyes": box(20, 15, 20, 10)}
    timeline(video, times_ms, mouths, (512, 640), 2000, reference=reference)


def alpha_film(folder: Path) -> None:
    video = pack(folder, (256, 320), (16, 16))
    times_ms = [round(i * 1000 / 30) for i in range(30)]
    pixels = np.zeros((320, 256, 4), np.uint8)
    cv2.circle(pixels, (128, 160), 60, (250, 200, 40, 255), -1)
    encode(video, [pixels] * 30, times_ms)
    timeline(video, times_ms, [box(128, 160, 16, 16)] * 30, (256, 320), 1000)


def gap_film(folder: Path) -> None:
    video = pack(folder, (256, 320), (16, 16))
    times_ms = [round(i * 1000 / 30) for i in range(45)]
    mouths = [None if 15 <= i < 30 else box(*cell(i), 16, 16) for i in range(45)]
    encode(video, [coded(i) for i in range(45)], times_ms)
    gaps = {
        "coverage": 0.667,
        "gaps": [[times_ms[15], times_ms[29]]],
        "warnings": ["no face from 500 to 967 ms"],
    }
    timeline(video, times_ms, mouths, (256, 320), 1500, quality=gaps)


def full_film(folder: Path) -> None:
    video = pack(folder, (512, 640), (160, 120), anchor={"x": 176, "y": 400, "w": 160, "h": 120})
    for name, value in (("open", 200), ("half", 150), ("closed", 100), ("mask", 255)):
        write_png(folder / f"eyes_{name}.png", np.full((80, 232, 3), value, np.uint8))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["eyes"] |= {
        "frames": {name: f"eyes_{name}.png" for name in ("open", "half", "closed")},
        "mask": "eyes_mask.png",
        "featherPx": 6,
        "pupil": {"enabled": True, "maxOffsetX": 8, "maxOffsetY": 6},
    }
    manifest["mouth"]["featherPx"] = 8
    (folder / "manifest.json").write_text(json.dumps(manifest))
    y, x = np.mgrid[:640, :512]
    times_ms = [round(i * 1000 / 30) for i in range(30)]
    frames = [np.stack([x // 2, y // 3, (x + y + 8 * i) % 256], axis=2).astype(np.uint8) for i in range(30)]
    encode(video, frames, times_ms)
    mouths = [box(256 + i, 460, 160, 120, i / 3) for i in range(30)]
    timeline(video, times_ms, mouths, (512, 640), 1000)


def lit_film(folder: Path) -> None:
    from anchord.demo.film import breathing, even_times_ms, film

    video = pack(folder, (512, 640), (200, 120))
    times_ms = [round(time_ms) for time_ms in even_times_ms(15, 2)]
    frames = []
    for time_ms, pixels in film(breathing, times_ms=times_ms, grain=1.0):
        turn = 2 * math.pi * time_ms / 2000
        gain = (
            0.6
            * (1 + 0.35 * math.sin(turn))
            * np.array([1 + 0.12 * math.sin(turn), 1, 1 - 0.12 * math.sin(turn)])
        )
        frames.append(np.clip(pixels * gain, 0, 255).astype(np.uint8))
    encode(video, frames, times_ms)
    output = folder / "anchors_timeline.json"
    extract = ["extract", str(video), "-o", str(output), "--sample-rate", "1", "--include", "light"]
    subprocess.run([sys.executable, "-m", "anchord", *extract], check=True, stderr=subprocess.DEVNULL)
    document = json.loads(output.read_text())
    first = document["frames"][0]
    left, top = round(first["mouth"]["cx"]) - 100, round(first["mouth"]["cy"]) - 60
    sprite = frames[0][top : top + 120, left : left + 200]
    write_png(folder / "mouth_sprites.png", np.concatenate([sprite] * len(VISEMES), axis=1))
    write_png(folder / "base_face.png", frames[0])
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["mouth"] |= {"anchor": {"x": left, "y": top, "w": 200, "h": 120}, "light": first["light"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    document["reference"] = {"time_ms": first["time_ms"]}
    output.write_text(json.dumps(document))


# The manifest of the packs that were there before anchord, to the letter.
DOCUMENT = {
    "id": "realistic_female_v1",
    "displayName": "Realistic Female v1",
    "version": "1.0.0",
    "base": {
        "type": "image",
        "src": "base_face.png",
        "width": 512,
        "height": 640,
        "idleVideo": "idle.webm",
    },
    "mouth": {
        "spritesheet": "mouth_sprites.png",
        "mask": "mouth_mask.png",
        "frameWidth": 160,
        "frameHeight": 120,
        "visemes": VISEMES,
        "anchor": {"x": 176, "y": 400, "w": 160, "h": 120},
        "featherPx": 8,
        "blendMode": "normal",
    },
    "eyes": {
        "frames": {"open": "eyes_open.png", "half": "eyes_half.png", "closed": "eyes_closed.png"},
        "mask": "eyes_mask.png",
        "anchor": {"x": 140, "y": 240, "w": 232, "h": 80},
        "pupil": {"enabled": True, "maxOffsetX": 8, "maxOffsetY": 6},
        "featherPx": 6,
        "blendMode": "normal",
    },
    "mapping": {"REST": "REST", "AA": "AA"},
    "microMotion": {
        "enabled": True,
        "headBobAmplitude": 2,
        "headBobFrequency": 0.5,
        "breathingScale": 0.003,
        "breathingFrequency": 0.25,
    },
}


def disc(size: tuple[int, int], radius: float, colour: tuple[int, int, int]) -> np.ndarray:
    """A sprite with a disc in its middle, which is round if nobody stretches it."""
    w, h = size
    pixels = np.full((h, w, 3), 70, np.uint8)
    # OpenCV counts from the middle of a pixel.
    middle = (round((w / 2 - 0.5) * 16), round((h / 2 - 0.5) * 16))
    cv2.circle(pixels, middle, round(radius * 16), colour, -1, cv2.LINE_AA, 4)
    return pixels


def document_film(folder: Path, *, is_first_version: bool) -> None:
    """A head that moves, turns and comes nearer; at 600 ms it lies as in the base face."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(DOCUMENT))
    write_png(folder / "base_face.png", np.full((640, 512, 3), 70, np.uint8))
    cells = [disc((160, 120), 40, (255, 0, 0)) for _ in VISEMES]
    write_png(folder / "mouth_sprites.png", np.concatenate(cells, axis=1))
    write_png(folder / "mouth_mask.png", np.full((120, 160, 3), 255, np.uint8))
    for state in ("open", "half", "closed"):
        write_png(folder / f"eyes_{state}.png", disc((232, 80), 28, (0, 0, 255)))
    write_png(folder / "eyes_mask.png", np.full((80, 232, 3), 255, np.uint8))
    video = folder / "idle.webm"
    times_ms = [round(i * 1000 / 30) for i in range(36)]
    encode(video, [np.full((640, 512, 3), 70 + i % 2, np.uint8) for i in range(36)], times_ms)
    mouths, eyes = [], []
    for time_ms in times_ms:
        away = (time_ms - 600) / 600
        scale, roll = 1 + 0.25 * away, 14 * away
        # What landmarks give: 2.2 : 1 and 9 : 1, a little beside the middle of what an artist drew.
        c, s = math.cos(math.radians(roll)) * scale, math.sin(math.radians(roll)) * scale
        cx, cy = 256 + 40 * away, 360 + 20 * away
        for boxes, (dx, dy), (w, h) in ((mouths, (2, 92), (125, 55)), (eyes, (-3, -77), (186, 20))):
            boxes.append(box(cx + c * dx - s * dy, cy + s * dx + c * dy, w * scale, h * scale, roll))
    timeline(video, times_ms, mouths, (512, 640), 1200, loop={"closed": False}, reference={"time_ms": 600})
    path = folder / "anchors_timeline.json"
    document = json.loads(path.read_text())
    for frame, anchor in zip(document["frames"], eyes, strict=True):
        frame["eyes"] = anchor
    if is_first_version:
        whole = {key: document[key] for key in ("version", "target", "config")}
        kept = ("video", "fps", "frame_count", "width", "height", "sample_every_n_frames")
        whole["source"] = {key: document["source"][key] for key in kept}
        whole["target"].pop("fit")
        whole["frames"] = [
            {
                "frame": frame["frame"],
                "time_ms": frame["time_ms"],
                **{
                    part: {key: round(frame[part][key]) for key in ("x", "y", "w", "h", "cx", "cy")}
                    for part in ("mouth", "eyes")
                },
            }
            for frame in document["frames"]
        ]
        document = whole
    path.write_text(json.dumps(document))


def camera_film(path: Path) -> None:
    """What a camera gives: pictures one by one, in a file that Chromium takes for one."""
    from anchord.demo.film import breathing, even_times_ms, film

    with av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=25, options={"qmin": "2", "qmax": "3"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for _, pixels in film(breathing, times_ms=even_times_ms(25, 4), size=(640, 480)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def main(out: Path) -> None:
    for fps in (24, 30, 60):
        times_ms = [round(i * 1000 / fps) for i in range(round(fps * 0.8))]
        code_film(out / f"code_{fps}", times_ms, round(len(times_ms) * 1000 / fps))
    steps = [17, 50, 33, 100, 33, 20, 67, 33]
    times_ms = [sum(steps[k % len(steps)] for k in range(i)) for i in range(18)]
    code_film(out / "code_vfr", times_ms, times_ms[-1] + 40)
    code_film(out / "code_offset", [500 + round(i * 1000 / 30) for i in range(24)], 1300)
    code_film(out / "code_mp4", [round(i * 1000 / 30) for i in range(24)], 800, "idle.mp4")
    code_film(out / "code_mp4_offset", [500 + round(i * 1000 / 30) for i in range(24)], 1300, "idle.mp4")
    # Two frames late: a header before its frames has no edit list to take the B-frames' delay back.
    late_ms = [round((i + 2) * 1000 / 30) for i in range(24)]
    code_film(out / "code_mp4_fragments", late_ms, late_ms[0] + 800, "idle.mp4", FRAGMENTED)
    square_film(out / "square")
    lit_film(out / "lit")
    alpha_film(out / "alpha")
    gap_film(out / "gap")
    full_film(out / "full")
    document_film(out / "document", is_first_version=False)
    document_film(out / "document_first", is_first_version=True)
    code_film(out / "face", [round(i * 1000 / 30) for i in range(30)], 1000)
    camera_film(out / "camera.mjpeg")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
