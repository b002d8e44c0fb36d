"use strict";
// Draws each element of class `chart` when it comes into sight: the chart that it names, with the
// rows that it names or was given.
(() => {
    // As wide as analyses draw one mouse or session; axes and legends come beside it.
    const WIDTH = 640;
    const BESIDE = 170;
    // Axis, labels and menu of a chart on a narrow page.
    const AROUND = 165;

    function sources(part, found = new Set()) {
        if (part && typeof part === "object") {
            if (part.data && part.data.name) {
                found.add(part.data.name);
            }
            Object.values(part).forEach((child) => sources(child, found));
        }
        return found;
    }

    // The chart with each value that `change` gives another one for, by its key.
    function changed(part, change) {
        if (Array.isArray(part)) {
            return part.map((child) => changed(child, change));
        }
        if (part && typeof part === "object") {
            return Object.fromEntries(
                Object.entries(part).map(([key, value]) => [
                    key,
                    change[key]?.(value) ?? changed(value, change),
                ]),
            );
        }
        return part;
    }

    // Words in lines of at most so many letters.
    function wrapped(words, most) {
        return [words].flat().flatMap((line) =>
            line.split(" ").reduce((lines, word) => {
                const last = lines.pop();
                const longer = last === undefined ? word : `${last} ${word}`;
                return longer.length > most && last !== undefined
                    ? [...lines, last, word]
                    : [...lines, longer];
            }, []),
        );
    }

    // On a narrow page: as wide as the page, few panels in a row, titles in lines, legends below.
    function fitted(chart, width) {
        if (width >= WIDTH + BESIDE) {
            return chart;
        }
        const most = Math.max(20, Math.floor(width / 6.5));
        const columns = Math.max(1, Math.floor(width / 220));
        const narrow = changed(chart, {
            width: (value) =>
                Number.isFinite(value) ? Math.min(value, Math.max(160, width - AROUND)) : undefined,
            columns: (value) => (Number.isInteger(value) ? Math.min(value, columns) : undefined),
            subtitle: (words) => wrapped(words, most),
        });
        narrow.config = {...narrow.config, legend: {...narrow.config?.legend, orient: "bottom"}};
        return narrow;
    }

    function specification(element) {
        const {spec: name, alt} = element.dataset;
        const {specs = {}} = report.data;
        const made = fitted(
            structuredClone(specs[name] ?? report.data[`spec/${name}`]),
            element.clientWidth,
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
        document.head.append(report.element("base", {target: "_top"}));
        for (const element of document.querySelectorAll('[data-spec="progress"]')) {
            element.dataset.spec = "progress_by_day";
        }
    }
    document.querySelectorAll(".chart").forEach(report.watch);
})();
