"use strict";
// Tables with filters that narrow each other; what is chosen stands in the address.
(() => {
    const NONE = "(none)";

    function values(value, kind) {
        if (value === null || value === "") {
            return [NONE];
        }
        return kind === "list" ? value.split(/, ?/) : [String(value)];
    }

    function shown(value, kind) {
        if (value === null) {
            return "";
        }
        if (kind === "number") {
            return Number.isInteger(value) ? report.count(value) : value.toFixed(value < 10 ? 2 : 1);
        }
        return kind === "list" ? value.replace(/,(?! )/g, ", ") : value;
    }

    function build(section) {
        const {table, rows, sql} = report.data[section.dataset.table];
        const place = Object.fromEntries(rows.columns.map((name, i) => [name, i]));
        const columns = table.columns.map((column, i) => ({...column, place: place[column.name], i}));
        const kinds = Object.fromEntries(columns.map(({name, kind}) => [name, kind]));
        const titles = Object.fromEntries(columns.map(({name, title}) => [name, title]));
        const named = (values) => Object.fromEntries(rows.columns.map((name, i) => [name, values[i]]));

        // What each filter sees of each row, found once.
        const seen = Object.fromEntries(
            table.filters.map((name) => [
                name,
                rows.data.map((row) => values(row[place[name]], kinds[name])),
            ]),
        );
        const menus = Object.fromEntries(
            table.filters.map((name) => [
                name,
                report.element("select", {name, ariaLabel: titles[name]}),
            ]),
        );
        const ends = table.dates
            ? ["from", "to"].map((name) => report.element("input", {type: "date", name, ariaLabel: name}))
            : [];
        const clear = report.element("button", {type: "button", textContent: "clear all"});
        const form = report.element(
            "form",
            {className: "filters"},
            ...table.filters.map((name) => report.element("label", {}, titles[name], menus[name])),
            ...ends.map((end) => report.element("label", {}, end.name, end)),
            clear,
        );
        const element = report.element("table", {className: "display compact"});
        element.append(report.element("caption", {textContent: table.caption}));
        const scroll = report.element("div", {className: "scroll", tabIndex: 0}, element);
        const tools = report.tools(
            section.dataset.table,
            () => [api.rows({search: "applied", order: "applied"}).data().toArray().map(named)],
            sql,
            "table",
        );
        section.replaceChildren(form, scroll, tools);

        // what the first order goes by and nobody needs to see
        const unseen = table.order
            .filter(([name]) => !kinds[name])
            .map(([name]) => ({name, title: name, kind: "text", place: place[name], visible: false}));
        const all = [...columns, ...unseen];
        const first = table.order.map(([name, direction]) => [
            all.findIndex((column) => column.name === name),
            direction,
        ]);

        let kept = [];
        const api = new DataTable(element, {
            data: rows.data,
            columns: [...columns, ...unseen].map(({name, title, kind, link, place, visible = true}) => ({
                title,
                visible,
                data: place,
                className: kind,
                orderSequence: ["asc", "desc"],
                type: kind === "number" ? "num" : "string",
                render(value, type, row) {
                    if (type !== "display") {
                        // what is not there comes last
                        return value ?? (kind === "number" ? -Infinity : type === "sort" ? "\uffff" : "");
                    }
                    const text = shown(value, kind);
                    return link && value !== null
                        ? report.element("a", {
                              href: report.link(link, named(row)),
                              textContent: text,
                          })
                        : document.createTextNode(text);
                },
            })),
            order: first,
            autoWidth: false,
            deferRender: true,
            pageLength: 25,
            lengthMenu: [10, 25, 50, 100],
            language: {search: "search", lengthMenu: "_MENU_ rows a page"},
        });
        api.search.fixed("filters", (text, row, index) => kept[index]);

        function isInside(date) {
            const [from, to] = ends.map((end) => end.value);
            const day = (date ?? "").slice(0, 10);
            return (!from || day >= from) && (!to || (day && day <= to));
        }

        // A row counts in a menu if it passes all the other filters.
        function narrow() {
            const chosen = table.filters.filter((name) => menus[name].value);
            const counts = Object.fromEntries(table.filters.map((name) => [name, new Map()]));
            kept = rows.data.map((row, index) => {
                const failed = chosen.filter(
                    (name) => !seen[name][index].includes(menus[name].value),
                );
                const inside = !table.dates || isInside(row[place[table.dates]]);
                if (inside && failed.length < 2) {
                    for (const name of failed.length ? failed : table.filters) {
                        for (const value of seen[name][index]) {
                            counts[name].set(value, (counts[name].get(value) ?? 0) + 1);
                        }
                    }
                }
                return inside && !failed.length;
            });
            for (const [name, menu] of Object.entries(menus)) {
                fill(menu, counts[name]);
            }
        }

        function fill(menu, counts) {
            const {value} = menu;
            if (value && !counts.has(value)) {
                counts.set(value, 0);
            }
            const options = [...counts].sort(([a], [b]) => (a === NONE) - (b === NONE) || a.localeCompare(b));
            menu.replaceChildren(
                report.element("option", {value: "", textContent: "all"}),
                ...options.map(([name, n]) =>
                    report.element("option", {value: name, textContent: `${name} (${report.count(n)})`}),
                ),
            );
            menu.value = value;
        }

        function remember() {
            const state = new URLSearchParams();
            for (const {name, value} of [...Object.values(menus), ...ends]) {
                if (value) {
                    state.set(name, value);
                }
            }
            if (api.search()) {
                state.set("search", api.search());
            }
            const words = (order) =>
                order.map(([place, direction]) => `${all[place].name}.${direction}`).join(",");
            if (words(api.order()) !== words(first)) {
                state.set("order", words(api.order()));
            }
            const {page} = api.page.info();
            if (page) {
                state.set("page", page + 1);
            }
            history.replaceState(null, "", `#${state}`);
        }

        function recall() {
            const state = new URLSearchParams(location.hash.slice(1));
            for (const [name, menu] of Object.entries(menus)) {
                const value = state.get(name) ?? "";
                // an option to hold the value, until the menus are counted
                menu.replaceChildren(report.element("option", {value}));
                menu.value = value;
            }
            for (const end of ends) {
                end.value = state.get(end.name) ?? "";
            }
            api.search(state.get("search") ?? "");
            const asked = (state.get("order") ?? "")
                .split(",")
                .map((words) => words.split("."))
                .map(([name, direction]) => [
                    all.findIndex((column) => column.name === name),
                    direction === "desc" ? "desc" : "asc",
                ])
                .filter(([place]) => place >= 0);
            api.order(asked.length ? asked : first);
            narrow();
            api.draw();
            // a page that there is not, or that somebody mistyped, is the first
            const page = Number(state.get("page")) - 1;
            if (page > 0 && page < api.page.info().pages) {
                api.page(page).draw("page");
            }
        }

        form.addEventListener("change", () => {
            narrow();
            api.draw();
        });
        clear.addEventListener("click", () => {
            [...Object.values(menus), ...ends].forEach((input) => (input.value = ""));
            api.search("");
            narrow();
            api.draw();
        });
        window.addEventListener("hashchange", recall);
        recall();
        api.on("draw", remember);
        section.api = api;
    }

    document.querySelectorAll("[data-table]").forEach(build);
})();
