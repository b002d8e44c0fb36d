"use strict";
// Two pages of mice beside each other: compare.html#MOUSE,MOUSE.
(() => {
    const {element} = report;
    const mice = report.rows(report.data.mice.rows);
    const chosen = location.hash.slice(1).split(",").map(decodeURIComponent);
    const sides = ["left", "right"].map((side, i) => {
        const menu = element(
            "select",
            {name: side},
            element("option", {value: "", textContent: "choose a mouse"}),
            ...mice.map(({page, subject_nickname, lab_name}) =>
                element("option", {value: page, textContent: `${subject_nickname} (${lab_name ?? "no laboratory"})`}),
            ),
        );
        menu.value = chosen[i] ?? "";
        const frame = element("iframe", {title: `the mouse on the ${side}`});
        return {menu, frame, column: element("section", {}, element("label", {}, `${side} `, menu), frame)};
    });

    function show() {
        for (const {menu, frame} of sides) {
            const page = menu.value && `mice/${encodeURIComponent(menu.value)}.html#beside`;
            if (frame.dataset.page !== page) {
                frame.dataset.page = page;
                frame.hidden = !page;
                frame.src = page || "about:blank";
            }
        }
        const names = sides.map(({menu}) => encodeURIComponent(menu.value));
        history.replaceState(null, "", `#${names.join(",")}`);
    }

    const place = document.getElementById("compare");
    place.replaceChildren(...sides.map(({column}) => column));
    place.addEventListener("change", show);
    show();
})();
