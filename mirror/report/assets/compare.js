"use strict";
// Two mice on one pair of axes, and their facts beside each other: compare.html#MOUSE,MOUSE.
(() => {
    const {element} = report;
    const mice = report.rows(report.data.mice.rows);
    const FACTS = [
        ["lab", "lab_name"],
        ["sex", "sex"],
        ["line", "subject_line"],
        ["status", "latest_status"],
        ["training days", "n_training_days"],
        ["sessions", "n_sessions"],
        ["trials", "n_trials"],
        ["last session", "last_session_date"],
    ];
    const sides = ["first", "second"].map((side) =>
        element(
            "select",
            {name: side},
            ...mice.map(({page, subject_nickname, lab_name}) =>
                element("option", {value: page, textContent: `${subject_nickname} (${lab_name ?? "no laboratory"})`}),
            ),
        ),
    );
    const shown = element("div", {ariaLive: "polite"});
    // a name that two mice share says its page as well
    const named = ({page, subject_nickname}) =>
        mice.filter((mouse) => mouse.subject_nickname === subject_nickname).length > 1
            ? page
            : subject_nickname;

    function facts(chosen) {
        const words = (value) =>
            typeof value === "number" ? report.count(value) : (value ?? "not known");
        const link = (mouse) =>
            element("a", {href: `mice/${encodeURIComponent(mouse.page)}.html`, textContent: named(mouse)});
        return element(
            "table",
            {className: "list"},
            element("caption", {textContent: "Facts of both mice"}),
            element(
                "thead",
                {},
                element(
                    "tr",
                    {},
                    element("th", {scope: "col", textContent: "fact"}),
                    ...chosen.map((mouse) => element("th", {scope: "col"}, link(mouse))),
                ),
            ),
            element(
                "tbody",
                {},
                ...FACTS.map(([title, name]) =>
                    element(
                        "tr",
                        {},
                        element("th", {scope: "row", textContent: title}),
                        ...chosen.map((mouse) => element("td", {textContent: words(mouse[name])})),
                    ),
                ),
            ),
        );
    }

    async function show() {
        const chosen = sides.map(({value}) => mice.find(({page}) => page === value));
        history.replaceState(null, "", `#${sides.map(({value}) => encodeURIComponent(value)).join(",")}`);
        if (chosen.some((mouse) => !mouse)) {
            return;
        }
        try {
            await Promise.all(
                chosen.map(({page}) =>
                    report.data[`mice/${page}`] ?? report.load(`data/mice/${encodeURIComponent(page)}.js`),
                ),
            );
        } catch (error) {
            shown.replaceChildren(element("p", {className: "warning", textContent: `${error.message}.`}));
            return;
        }
        const days = chosen.map((mouse) =>
            report.rows(report.data[`mice/${mouse.page}`].days).map((day) => ({mouse: named(mouse), ...day})),
        );
        const rows = days.flat();
        const columns = Object.keys(rows[0] ?? {mouse: ""});
        const chart = element("div", {
            className: "chart",
            rows: {days: {columns, data: rows.map((row) => columns.map((name) => row[name]))}},
        });
        const title = `${chosen.map(named).join(" and ")} by training day`;
        Object.assign(chart.dataset, {spec: "both", alt: title});
        shown.replaceChildren(
            facts(chosen),
            rows.length
                ? element("figure", {}, chart, element("figcaption", {textContent: title}))
                : element("p", {className: "none", textContent: "Neither has trials here."}),
        );
        report.watch(chart);
    }

    // The mice of the address; else those with the most trials, since there is most to compare.
    function recall() {
        const asked = location.hash.slice(1).split(",").map(report.decoded);
        const most = [...mice].sort((a, b) => (b.n_trials ?? 0) - (a.n_trials ?? 0));
        sides.forEach((menu, i) => {
            const known = mice.find(({page}) => page === asked[i]);
            const other = most.find(({page}) => page !== sides[0].value || !i) ?? most[0];
            menu.value = (known ?? other)?.page ?? "";
        });
        show();
    }

    const place = document.getElementById("compare");
    place.replaceChildren(
        element(
            "form",
            {className: "filters"},
            ...sides.map((menu) => element("label", {}, `the ${menu.name} mouse`, menu)),
        ),
        shown,
    );
    place.addEventListener("change", show);
    window.addEventListener("hashchange", recall);
    if (mice.length) {
        recall();
    } else {
        shown.replaceChildren(element("p", {className: "none", textContent: "There are no mice."}));
    }
})();
