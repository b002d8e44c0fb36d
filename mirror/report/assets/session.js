"use strict";
// The page of one session: session.html#MOUSE/START.
(() => {
    const {element} = report;
    const section = document.getElementById("session");
    const FACTS = [
        ["lab", "lab_name"],
        ["task", "task"],
        ["protocol", "task_protocol"],
        ["users", "users"],
        ["project", "session_project"],
        ["training day", "training_day"],
        ["trials", "n_trials"],
        ["trials that the server counted", "stored_n_trials"],
        ["no-go trials", "n_no_go"],
        ["easy correct, %", "performance_easy"],
        ["median reaction time, s", "median_reaction_time"],
        ["duration, min", "session_duration_min"],
        ["delay before the start, min", "session_delay_min"],
        ["on an ephys rig", "on_ephys_rig"],
        ["status", "status"],
        ["status recomputed from trials", "training_status"],
        ["decided by", "training_status_rule"],
        ["first end criterion met", "end_status"],
        ["trials after it", "n_trials_over"],
        ["quality flags", "flags"],
        ["no stored status, because", "why_no_stored_status"],
        ["no stored reaction times, because", "why_no_stored_reaction_time"],
        ["UUID", "session_uuid"],
    ];
    const FITS = [
        ["stimulus left, %", "prob_left_block", 0],
        ["trials", "n_trials", 0],
        ["threshold, %", "threshold", 1],
        ["bias, %", "bias", 1],
        ["lapse left", "lapse_low", 3],
        ["lapse right", "lapse_high", 3],
        ["verdict", "verdict"],
    ];

    function shown(value) {
        if (typeof value === "number") {
            return Number.isInteger(value) ? report.count(value) : value.toFixed(value < 10 ? 2 : 1);
        }
        return typeof value === "boolean" ? (value ? "yes" : "no") : value.replace(/,(?! )/g, ", ");
    }

    function facts(session) {
        const known = FACTS.filter(([, name]) => session[name] !== null && session[name] !== "");
        return element(
            "dl",
            {className: "facts"},
            ...known.map(([title, name]) =>
                element(
                    "div",
                    {},
                    element("dt", {textContent: title}),
                    element("dd", {textContent: shown(session[name])}),
                ),
            ),
        );
    }

    function fits(rows) {
        const cell = ([, name, digits], row) => {
            const value = row[name];
            const error = row[`${name}_se`];
            const number = (x) => x.toFixed(digits);
            const words = value === null ? "" : digits === undefined ? value : number(value);
            return element("td", {
                className: digits === undefined ? "" : "number",
                textContent: error ? `${words} ± ${number(error)}` : words,
            });
        };
        return element(
            "table",
            {},
            element("caption", {textContent: "Fits with the server's bounds, ± one standard error"}),
            element(
                "thead",
                {},
                element(
                    "tr",
                    {},
                    ...FITS.map(([title]) => element("th", {scope: "col", textContent: title})),
                ),
            ),
            element(
                "tbody",
                {},
                ...rows.map((row) => element("tr", {}, ...FITS.map((fit) => cell(fit, row)))),
            ),
        );
    }

    function figure(name, title, rows, key) {
        const chart = element("div", {className: "chart", rows});
        chart.dataset.spec = name;
        chart.dataset.alt = title;
        Object.assign(chart.dataset, key);
        report.watch(chart);
        return element("figure", {}, chart, element("figcaption", {textContent: title}));
    }

    function neighbour(page, session, rel, words) {
        const href = `session.html#${encodeURIComponent(page)}/${encodeURIComponent(session.session_start_time)}`;
        return element("a", {rel, href, textContent: words(session.session_start_time)});
    }

    function of(rows, session) {
        const place = rows.columns.indexOf("session");
        return {...rows, data: rows.data.filter((row) => row[place] === session)};
    }

    async function show() {
        const [page, start] = location.hash.slice(1).split("/").map(report.decoded);
        if (!page || !start) {
            section.replaceChildren(
                element("p", {}, "Choose one of the ", element("a", {href: "sessions.html"}, "sessions"), "."),
            );
            return;
        }
        try {
            if (!report.data[`mice/${page}`]) {
                await report.load(`data/mice/${encodeURIComponent(page)}.js`);
            }
        } catch (error) {
            section.replaceChildren(element("p", {className: "warning", textContent: `${error.message}.`}));
            return;
        }
        const all = report.data[`mice/${page}`];
        const sessions = report.rows(all.sessions);
        const place = sessions.findIndex((session) => session.session_start_time === start);
        if (place < 0) {
            section.replaceChildren(
                element("p", {className: "warning", textContent: `${page} has no session of ${start}.`}),
            );
            return;
        }
        const session = sessions[place];
        const name = `${session.subject_nickname}, ${start}`;
        document.title = `${name} · IBL mirror`;
        const links = element("nav", {className: "neighbours", ariaLabel: "Sessions of the mouse"});
        // the latest is the first
        if (place + 1 < sessions.length) {
            links.append(neighbour(page, sessions[place + 1], "prev", (start) => `← ${start}`));
        }
        links.append(
            element("a", {
                href: `mice/${encodeURIComponent(page)}.html`,
                textContent: session.subject_nickname,
            }),
        );
        if (place) {
            links.append(neighbour(page, sessions[place - 1], "next", (start) => `${start} →`));
        }
        const rows = Object.fromEntries(
            ["curves", "times", "course", "blocks", "session_fits"].map((name) => [
                name,
                of(all[name], place),
            ]),
        );
        const key = {mouse: all.subject_uuid, start};
        const drawn = [];
        if (rows.curves.data.length) {
            drawn.push(
                element(
                    "div",
                    {className: "beside-each-other"},
                    figure("choices", `${name}: choices by contrast and block, with fits and 68 % intervals`, rows, key),
                    figure("times", `${name}: median reaction times by contrast and block, with quartiles`, rows, key),
                ),
                element("div", {className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Fits"}, fits(report.rows(rows.session_fits))),
                report.tools(
                    "fits",
                    () => [report.rows(rows.session_fits)],
                    `from psychometric_fits where subject_uuid = '${all.subject_uuid}' and session_start_time = '${start}' and grain = 'session_block' and variant = 'datajoint';`,
                    "table",
                ),
            );
        }
        if (rows.course.data.length) {
            drawn.push(figure("course", `${name}: stimuli, choices and reaction times, ten trials a step`, rows, key));
        } else {
            drawn.push(element("p", {className: "none", textContent: "The trials of this session are not here."}));
        }
        section.replaceChildren(links, element("h1", {textContent: name}), facts(session), ...drawn);
    }

    window.addEventListener("hashchange", show);
    show();
})();
