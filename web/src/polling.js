/** By how much a pause grows while there is nothing new or no answer, and how long it gets at most, in pauses. */
const GROWTH = 1.5;
const MOST_PAUSES = 20;

/** @type {WeakSet<import("./avatar.js").Avatar>} */
const polled = new WeakSet();

/**
 * Ask for a new timeline again and again, as long as *avatar* has a pack and wants it; not while nobody looks.
 *
 * @param {import("./avatar.js").Avatar} avatar
 */
export async function poll(avatar) {
	if (polled.has(avatar)) return;
	polled.add(avatar);
	let pauses = 1;
	while (avatar.refreshS > 0 && avatar.isAlive) {
		await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(pauses, MOST_PAUSES) * avatar.refreshS));
		if (!avatar.isSeen || !avatar.refreshS) continue;
		const { text, fault } = avatar.supply;
		await avatar.refresh();
		const isNew = avatar.supply.text !== text || avatar.supply.fault !== fault;
		pauses = isNew ? 1 : GROWTH * pauses;
	}
	polled.delete(avatar);
}
