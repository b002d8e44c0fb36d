"use strict";
// Finds words in the dictionary: what matches opens, the rest goes.
(() => {
    const search = document.getElementById("search");
    const found = document.getElementById("found");
    const definitions = [...document.querySelectorAll(".definition")].map((place) => ({
        place,
        about: [...place.children]
            .filter((child) => !child.classList.contains("scroll"))
            .map((child) => child.textContent)
            .join(" ")
            .toLowerCase(),
        columns: [...place.querySelectorAll("tbody tr")].map((row) => ({
            row,
            text: row.textContent.toLowerCase(),
        })),
    }));

    function show() {
        const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
        const matches = (text) => words.every((word) => text.includes(word));
        let tables = 0;
        let columns = 0;
        for (const {place, about, columns: all} of definitions) {
            const isAbout = matches(about);
            const hits = all.filter(({text}) => matches(text));
            all.forEach(({row, text}) => (row.hidden = !isAbout && !matches(text)));
            place.hidden = !isAbout && !hits.length;
            place.open = words.length > 0 && hits.length > 0;
            tables += !place.hidden;
            columns += hits.length;
        }
        found.textContent = words.length ? `${columns} columns, ${tables} tables and views` : "";
        history.replaceState(null, "", search.value ? `#search=${encodeURIComponent(search.value)}` : "#");
    }

    function recall() {
        const {hash} = location;
        if (hash.startsWith("#search=")) {
            search.value = report.decoded(hash.slice("#search=".length));
            show();
        } else if (hash.length > 1) {
            const place = document.getElementById(report.decoded(hash.slice(1)));
            if (place) {
                place.open = true;
                place.scrollIntoView();
            }
        }
    }

    search.addEventListener("input", show);
    recall();
})();
