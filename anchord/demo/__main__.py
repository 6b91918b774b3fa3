"""``python -m anchord.demo FOLDER`` makes an avatars folder with the sample pack and says what to try."""

import sys
from pathlib import Path

from anchord.demo.pack import SAMPLE_ID, make_pack

root = Path(sys.argv[1])
make_pack(root / SAMPLE_ID)
print(f"""\
1. Watch the log below: {SAMPLE_ID}'s timeline appears in {root / SAMPLE_ID}/anchors_timeline.json
2. Drop a video of your own into a new folder:  mkdir {root}/me && cp YOUR.webm {root}/me/idle.webm
   or record one in the page ("Record yourself"), and see it at http://localhost:8080/?avatar=me
3. Press "Make it speak" in the page, then Speak   (Ctrl+C ends)""")
