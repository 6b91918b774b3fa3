const [find, sort, warned, count] = ["find", "sort", "warned", "count"].map((id) => document.getElementById(id));
const cards = [...document.querySelectorAll("article")];
/** Whether a larger value of this is the worse one. */
const WORSE_IF_LARGER = { jitter: true, seam: true, warnings: true };

function sorted() {
	const by = sort.value;
	if (by === "name") return cards.sort((a, b) => a.dataset.name.localeCompare(b.dataset.name));
	const sign = WORSE_IF_LARGER[by] ? -1 : 1;
	const value = ({ dataset }) => (by in dataset ? sign * dataset[by] : Infinity);
	return cards.sort((a, b) => value(a) - value(b) || a.dataset.worst - b.dataset.worst);
}

function choose() {
	const text = find.value.trim().toLowerCase();
	let shown = 0;
	for (const card of cards) {
		const isWanted = card.textContent.toLowerCase().includes(text) && (!warned.checked || card.dataset.warnings > 0);
		card.hidden = !isWanted;
		shown += isWanted;
	}
	count.textContent = `${shown} of ${cards.length}`;
}

if (cards.length) {
	sort.addEventListener("change", () => cards[0].parentNode.append(...sorted()));
	find.addEventListener("input", choose);
	warned.addEventListener("change", choose);
	find.form.addEventListener("submit", (event) => event.preventDefault());
	choose();
}
