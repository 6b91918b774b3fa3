/**
 * From a video to a face that speaks: the command that does it, and where the page was started by `make demo`, the
 * button that does; and a camera for who has no clip at hand. Whatever is recorded stays on this machine.
 */

/** @param {string} id @returns {any} */
const find = (id) => document.getElementById(id);

/** The avatars folder of `make demo`; null where this is a site. */
const demo =
	/** @type {HTMLMetaElement | null} */ (document.querySelector('meta[name="anchord-demo"]'))?.content ?? null;

/** @param {string} word */
const quoted = (word) => (/^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** @param {string} id */
const commandFor = (id) =>
	demo === null ? `anchord sprites --avatar-id ${quoted(id)}` : `.venv/bin/anchord sprites ${quoted(`${demo}/${id}`)}`;

/** Where only this page may ask. @param {string} path @param {BodyInit} [body] */
async function ask(path, body) {
	const response = await fetch(new URL(path, document.baseURI), {
		method: "POST",
		headers: { "x-anchord": "page" },
		body,
	});
	const text = await response.text();
	if (!response.ok) throw new Error(text);
	return /** @type {{ok: boolean, text: string}} */ (JSON.parse(text));
}

/** Say how *id* is made to speak; nothing where it does already. @param {string | null} id */
export function tellHow(id) {
	find("make").hidden = id === null;
	if (id !== null) find("command").textContent = commandFor(id);
	find("make-it").hidden = demo === null;
	find("make-it").onclick = async () => {
		find("make-it").disabled = true;
		find("made").textContent = "Making mouth and eyes: some seconds.";
		try {
			const { ok, text } = await ask(`make/${encodeURIComponent(id ?? "")}`);
			find("made").textContent = ok ? "" : text;
		} catch (error) {
			find("made").textContent = `That failed: ${/** @type {Error} */ (error).message}`;
		}
		find("make-it").disabled = false;
	};
}
find("copy").onclick = () => navigator.clipboard?.writeText(find("command").textContent);

// --- the camera ---------------------------------------------------------------------------------

const SECONDS = 4;
/** @type {MediaStream | null} */
let camera = null;
const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (/** @type {string} */ text) => {
	find("camera-says").textContent = text;
};

find("camera").hidden = !navigator.mediaDevices?.getUserMedia || typeof MediaRecorder === "undefined";
find("camera").ontoggle = async () => {
	if (!find("camera").open) {
		for (const track of camera?.getTracks() ?? []) track.stop();
		camera = null;
		return;
	}
	try {
		camera = await navigator.mediaDevices.getUserMedia({
			video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
		});
		find("mirror").srcObject = camera;
		say("Face in the oval, mouth shut, even light. Look ahead and breathe.");
	} catch (error) {
		say(`No camera: ${/** @type {Error} */ (error).message}`);
	}
};

/** The next seconds of the camera. @param {MediaStream} stream @returns {Promise<Blob>} */
async function recording(stream) {
	const type = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"].find((each) =>
		MediaRecorder.isTypeSupported(each),
	);
	if (!type) throw new Error("this browser records no WebM; use its own camera program, and an MP4");
	const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 6_000_000 });
	/** @type {Blob[]} */
	const pieces = [];
	recorder.ondataavailable = ({ data }) => pieces.push(data);
	const ended = new Promise((resolve) => {
		recorder.onstop = resolve;
	});
	recorder.start();
	for (let left = SECONDS; left > 0; left--) {
		say(`Recording: ${left}`);
		await wait(1000);
	}
	recorder.stop();
	await ended;
	return new Blob(pieces, { type: "video/webm" });
}

find("recorder").onsubmit = async (/** @type {Event} */ event) => {
	event.preventDefault();
	if (!camera) return;
	const name = find("camera-name").value;
	find("record").disabled = true;
	try {
		for (let left = 3; left > 0; left--) {
			say(`In ${left}`);
			await wait(1000);
		}
		const clip = await recording(camera);
		if (demo === null) {
			const link = document.createElement("a");
			link.href = URL.createObjectURL(clip);
			link.download = "idle.webm";
			link.click();
			URL.revokeObjectURL(link.href);
			say(`Saved as idle.webm: put it into the folder ${name} of the avatars.`);
		} else {
			await ask(`record/${encodeURIComponent(name)}`, clip);
			say(`${name} is in the list in a moment.`);
			find("camera").open = false;
		}
	} catch (error) {
		say(/** @type {Error} */ (error).message);
	}
	find("record").disabled = false;
};
