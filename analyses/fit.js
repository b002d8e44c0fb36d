"use strict";
// Draws charts as wide as the page: window.fit.draw(element, chart, options of vegaEmbed).
window.fit = (() => {
    // As wide as a chart of one panel is drawn; axes and legends come beside it.
    const WIDTH = 640;
    const BESIDE = 170;
    // Axis, labels and menu of a chart on a narrow page.
    const AROUND = 165;
    // Panels grow so much at most: lines of few points become no better by it.
    const LARGEST = 1.5;

    // The chart with each value that `change` gives another one for, by its key.
    function changed(part, change) {
        if (Array.isArray(part)) {
            return part.map((child) => changed(child, change));
        }
        if (part && typeof part === "object") {
            return Object.fromEntries(
                Object.entries(part).map(([key, value]) => [
                    key,
                    key === "datasets" || key === "values"
                        ? value
                        : (change[key]?.(value) ?? changed(value, change)),
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
    function narrowed(chart, width) {
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
            text: (words) => (typeof words === "string" || Array.isArray(words) ? wrapped(words, most) : undefined),
        });
        narrow.config = {...narrow.config, legend: {...narrow.config?.legend, orient: "bottom"}};
        return narrow;
    }

    // On a wide page: panels that fill it.
    function widened(chart, factor) {
        const size = (value) => (Number.isFinite(value) ? Math.round(value * factor) : undefined);
        return changed(chart, {width: size, height: size});
    }

    async function draw(element, chart, options) {
        const width = element.clientWidth;
        const fits = narrowed(chart, width);
        const first = await vegaEmbed(element, fits, options);
        const drawn = element.querySelector("svg").getBoundingClientRect().width;
        const factor = Math.min(width / drawn, LARGEST);
        if (fits !== chart || factor < 1.1) {
            return first;
        }
        first.finalize();
        return vegaEmbed(element, widened(chart, factor), options);
    }

    return {draw};
})();
