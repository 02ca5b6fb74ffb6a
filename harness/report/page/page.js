/* Without this the page is complete; with it, the table can be sorted. */
"use strict";

(function () {
	const table = document.querySelector("table.counts");

	if (table === null)
		return;
	const body = table.tBodies[0];
	const headings = Array.from(table.tHead.rows[0].cells);

	/* Numbers have up to 64 bits, and signs: their digits are compared, not a double. */
	function key(row, column) {
		const value = row.cells[column].dataset.value;

		if (value === undefined)
			return row.cells[column].textContent;
		return value === "" ? null : /^-?[0-9]+$/.test(value) ? BigInt(value) : Number(value);
	}

	function order(a, b) {
		if (a === null || b === null)
			return (a === null) - (b === null);
		return a < b ? -1 : a > b ? 1 : 0;
	}

	function sort(column, descending) {
		const rows = Array.from(body.rows);

		rows.sort(function (one, other) {
			const a = key(one, column), b = key(other, column);

			if (a === null || b === null)
				return order(a, b); /* what is unknown comes last either way */
			return descending ? order(b, a) : order(a, b);
		});
		rows.forEach(function (row) { body.appendChild(row); });
		headings.forEach(function (heading, index) {
			if (index === column)
				heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
			else
				heading.removeAttribute("aria-sort");
		});
	}

	headings.forEach(function (heading, column) {
		const button = document.createElement("button");

		button.type = "button";
		while (heading.firstChild !== null)
			button.appendChild(heading.firstChild);
		heading.appendChild(button);
		button.addEventListener("click", function () {
			sort(column, heading.getAttribute("aria-sort") === "descending" ? false
				: heading.getAttribute("aria-sort") === "ascending" ? true
				: heading.classList.contains("number"));
		});
	});
}());
