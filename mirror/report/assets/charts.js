"use strict";
// Draws each element of class `chart` when it comes into sight: the chart that it names, with the
// rows that it names or was given.
(() => {
    function sources(part, found = new Set()) {
        if (part && typeof part === "object") {
            if (part.data && part.data.name) {
                found.add(part.data.name);
            }
            Object.values(part).forEach((child) => sources(child, found));
        }
        return found;
    }

    function specification(element) {
        const {spec: name, alt} = element.dataset;
        const {specs = {}} = report.data;
        const made = structuredClone(specs[name] ?? report.data[`spec/${name}`]);
        // the page's own ground, light or dark
        made.config = {...made.config, background: null};
        const rows = element.rows ?? report.data[element.dataset.rows];
        if (rows) {
            made.datasets = {...made.datasets};
            for (const source of sources(made)) {
                if (rows[source]) {
                    made.datasets[source] = report.rows(rows[source]);
                }
            }
        }
        if (alt) {
            made.description = alt;
        }
        return made;
    }

    // The rows that a chart draws, as tables by name.
    function tables({datasets = {}}) {
        return Object.values(datasets).filter((rows) => rows.length > 1 || Object.keys(rows[0] ?? {}).length > 1);
    }

    // The query of a chart; of a mouse or session with its own key filled in.
    function sql({dataset: {spec, mouse, start}}) {
        const text = report.data[`sql/${spec}`] ?? report.data.queries?.[spec] ?? "";
        const literal = (value) => (value === undefined ? "null" : `'${value.replaceAll("'", "''")}'`);
        return text.replaceAll("$mouse", literal(mouse)).replaceAll("$start", literal(start));
    }

    async function draw(element) {
        const options = {
            renderer: "svg",
            actions: {export: true, source: false, compiled: false, editor: false},
            downloadFileName: element.dataset.spec,
        };
        try {
            const chart = specification(element);
            element.view = (await fit.draw(element, chart, options)).view;
            // its menu has no name, and a mark of no rows nothing to say
            element.querySelector("summary").ariaLabel = "save this chart as a picture";
            for (const mark of element.querySelectorAll("[role=graphics-symbol]:empty")) {
                // without a role a label is not allowed
                for (const name of ["role", "aria-label", "aria-roledescription"]) {
                    mark.removeAttribute(name);
                }
            }
            element.classList.add("drawn");
            if (!element.parentElement.querySelector(".tools")) {
                element.after(report.tools(element.dataset.spec, () => tables(chart), sql(element)));
            }
        } catch (error) {
            element.textContent = `This chart could not be drawn: ${error.message}`;
            throw error;
        }
    }

    const seen = new IntersectionObserver(
        (entries) => {
            for (const {isIntersecting, target} of entries) {
                if (isIntersecting) {
                    drawOnce(target);
                }
            }
        },
        {rootMargin: "400px"},
    );

    const waiting = new Set();

    report.watch = (element) => {
        waiting.add(element);
        seen.observe(element);
    };

    function drawOnce(element) {
        if (waiting.delete(element)) {
            seen.unobserve(element);
            return draw(element);
        }
    }

    // Paper shows what nobody scrolled to: the rest is drawn when the page has nothing else to do,
    // and at the latest when it goes to print.
    async function drawRest() {
        const [next] = waiting;
        if (next) {
            await drawOnce(next);
            requestIdleCallback(drawRest);
        }
    }
    addEventListener("load", () => setTimeout(drawRest, 1000));
    addEventListener("beforeprint", () => [...waiting].forEach(drawOnce));

    document.querySelectorAll(".chart").forEach(report.watch);
})();
