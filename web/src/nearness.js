/** How far from the screen a lazy avatar begins to load: half a screen. */
const NEAR = "50% 0px";

/** @param {Element} element @param {AbortSignal} signal @returns {Promise<void>} Kept when it is nearly on the screen. */
export function nearness(element, signal) {
	return new Promise((resolve) => {
		const observer = new IntersectionObserver(
			(entries) => {
				if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
				observer.disconnect();
				resolve();
			},
			{ rootMargin: NEAR },
		);
		signal.addEventListener("abort", () => observer.disconnect());
		observer.observe(element);
	});
}
