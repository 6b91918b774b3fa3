import "anchord-web/element";
import type { AnchorAvatar, AnchorAvatarEvents } from "anchord-web/element";
import { cuesFrom } from "anchord-web/adapters";
import { cuesFromText } from "anchord-web/speech";

// What TypeScript must know without being told.
const avatar = document.createElement("anchor-avatar");
const same: AnchorAvatar = avatar;
avatar.src = "/avatars/face/";
avatar.refresh = 0;
avatar.loading = "eager";
avatar.addEventListener("ready", ({ detail }) => {
	const id: string = detail.id;
	document.title = `ready ${id}`;
});
avatar.addEventListener("frame", ({ detail: { timeMs, isTracked } }) => {
	const time: number = timeMs;
	if (isTracked && time >= 0) document.body.dataset["tracked"] = "true";
});
avatar.addEventListener("error", (event: AnchorAvatarEvents["error"]) => console.error(event.detail.message));
avatar.addEventListener("click", (event) => console.info(event.clientX));
// @ts-expect-error there is no such attribute
avatar.nonsense = 1;
// @ts-expect-error a mouth is named by a word
avatar.setViseme(3);
document.querySelector("anchor-avatar")?.pause();
document.body.append(same);
const { cues } = cuesFromText("hello");
avatar.playCues([...cues, ...cuesFrom("0.00\tX\n").map(({ viseme }) => ({ t_ms: 99_999, viseme }))]).catch(() => {});
