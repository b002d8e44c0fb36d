"use strict";
// Draws each element of class `chart` when it comes into sight: the chart that it names, with the
// rows that it names or was given.
(() => {
    // As wide as analyses draw one mouse or session; axes and legends come beside it.
    const WIDTH = 640;
    const BESIDE = 170;

    function sources(part, found = new Set()) {
        if (part && typeof part === "object") {
            if (part.data && part.data.name) {
                found.add(part.data.name);
            }
            Object.values(part).forEach((child) => sources(child, found));
        }
        return found;
    }

    // The full width, where there is room; else as wide as the page, with the legends below.
    function fitted(part, width) {
        if (Array.isArray(part)) {
            return part.map((child) => fitted(child, width));
        }
        if (part && typeof part === "object") {
            return Object.fromEntries(
                Object.entries(part).map(([key, value]) => [
                    key,
                    key === "width" && value === WIDTH ? width : fitted(value, width),
                ]),
            );
        }
        return part;
    }

    function specification(element) {
        const {spec: name, alt} = element.dataset;
        const {specs = {}} = report.data;
        const isNarrow = element.clientWidth < WIDTH + BESIDE;
        const room = element.clientWidth - (isNarrow ? 90 : BESIDE);
        const made = fitted(
            specs[name] ?? report.data[`spec/${name}`],
            Math.max(200, Math.min(WIDTH, room)),
        );
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
        if (isNarrow) {
            made.config = {...made.config, legend: {...made.config?.legend, orient: "bottom"}};
        }
        return made;
    }

    async function draw(element) {
        const options = {
            renderer: "svg",
            actions: {export: true, source: false, compiled: false, editor: false},
            downloadFileName: element.dataset.spec,
        };
        try {
            element.view = (await vegaEmbed(element, specification(element), options)).view;
            element.classList.add("drawn");
        } catch (error) {
            element.textContent = `This chart could not be drawn: ${error.message}`;
            throw error;
        }
    }

    const seen = new IntersectionObserver(
        (entries) => {
            for (const {isIntersecting, target} of entries) {
                if (isIntersecting) {
                    seen.unobserve(target);
                    draw(target);
                }
            }
        },
        {rootMargin: "400px"},
    );

    report.watch = (element) => seen.observe(element);

    if (location.hash === "#beside") {
        // Two mice are compared day by day, not date by date.
        document.documentElement.classList.add("beside");
        for (const element of document.querySelectorAll('[data-spec="progress"]')) {
            element.dataset.spec = "progress_by_day";
        }
    }
    document.querySelectorAll(".chart").forEach(report.watch);
})();
