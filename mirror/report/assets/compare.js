"use strict";
// Two pages of mice beside each other: compare.html#MOUSE,MOUSE.
(() => {
    const {element} = report;
    const mice = report.rows(report.data.mice.rows);
    const sides = ["left", "right"].map((side) => {
        const menu = element(
            "select",
            {name: side},
            element("option", {value: "", textContent: "choose a mouse"}),
            ...mice.map(({page, subject_nickname, lab_name}) =>
                element("option", {value: page, textContent: `${subject_nickname} (${lab_name ?? "no laboratory"})`}),
            ),
        );
        const frame = element("iframe", {title: `the mouse on the ${side}`});
        return {menu, frame, column: element("section", {}, element("label", {}, `${side} `, menu), frame)};
    });

    function show() {
        for (const {menu, frame} of sides) {
            const page = menu.value && `mice/${encodeURIComponent(menu.value)}.html#beside`;
            if (frame.dataset.page !== page) {
                frame.dataset.page = page;
                frame.hidden = !page;
                // the way back leads to another page, not to the mouse before
                frame.contentWindow.location.replace(page ? new URL(page, location) : "about:blank");
            }
        }
        const names = sides.map(({menu}) => encodeURIComponent(menu.value));
        history.replaceState(null, "", `#${names.join(",")}`);
    }

    function recall() {
        const chosen = location.hash.slice(1).split(",").map(report.decoded);
        sides.forEach(({menu}, i) => {
            menu.value = mice.some(({page}) => page === chosen[i]) ? chosen[i] : "";
        });
        show();
    }

    const place = document.getElementById("compare");
    place.replaceChildren(...sides.map(({column}) => column));
    place.addEventListener("change", show);
    window.addEventListener("hashchange", recall);
    recall();
})();
