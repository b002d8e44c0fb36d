"use strict";
// What all pages share: the values that scripts of the folder hand over, and small helpers.
// A page opened from a folder may not fetch files, but it may load scripts.
window.report = {
    data: {},

    put(name, value) {
        this.data[name] = value;
    },

    load(source) {
        return new Promise((resolve, reject) => {
            const script = document.createElement("script");
            script.src = source;
            script.onload = resolve;
            script.onerror = () => reject(new Error(`${source} is missing in this folder`));
            document.head.append(script);
        });
    },

    rows({columns, data}) {
        return data.map((values) => Object.fromEntries(columns.map((name, i) => [name, values[i]])));
    },

    // Words are text, never markup: names come from a database that others fill.
    element(tag, properties = {}, ...children) {
        const made = Object.assign(document.createElement(tag), properties);
        made.append(...children);
        return made;
    },

    // Part of an address; nothing where somebody mistyped it.
    decoded(text) {
        try {
            return decodeURIComponent(text);
        } catch {
            return "";
        }
    },

    link(pattern, row) {
        return pattern.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(row[name]));
    },

    count(value) {
        return value.toLocaleString("en");
    },

    // Rows of objects as CSV; what is a list or structure stays JSON.
    csv(rows) {
        const names = [...new Set(rows.flatMap(Object.keys))];
        const cell = (value) => {
            const text = value === null || value === undefined ? ""
                : typeof value === "object" ? JSON.stringify(value) : String(value);
            return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        };
        const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
        return lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
    },

    // A file made in the page: no server is asked.
    download(name, text) {
        // the mark tells a spreadsheet that this is UTF-8
        const address = URL.createObjectURL(new Blob(["\ufeff", text], {type: "text/csv"}));
        this.element("a", {href: address, download: name}).click();
        setTimeout(() => URL.revokeObjectURL(address), 60_000);
    },

    // "as CSV" and "in SQL" of a chart or table: its rows are asked for when somebody clicks.
    tools(name, tables, sql, what = "chart") {
        const csv = this.element("button", {type: "button", textContent: `this ${what} as CSV`});
        csv.addEventListener("click", () =>
            tables().forEach((rows, i) =>
                this.download(`${name}${i ? `_${i + 1}` : ""}.csv`, this.csv(rows)),
            ),
        );
        const parts = [csv];
        if (sql) {
            const copy = this.element("button", {type: "button", textContent: "copy"});
            copy.addEventListener("click", () => navigator.clipboard.writeText(sql));
            parts.push(
                this.element(
                    "details",
                    {},
                    this.element("summary", {textContent: `this ${what} in SQL`}),
                    this.element("pre", {textContent: sql, tabIndex: 0}),
                    copy,
                ),
            );
        }
        return this.element("div", {className: "tools"}, ...parts);
    },

    // The same under a table that the page was made with.
    toolsOf(table) {
        const texts = (row) => [...row.cells].map((cell) => cell.innerText.trim());
        const names = texts(table.tHead.rows[0]);
        const rows = () => [...table.tBodies[0].rows].map((row) =>
            Object.fromEntries(texts(row).map((text, i) => [names[i], text])));
        const {name, sql} = table.dataset;
        (table.closest(".scroll") ?? table).after(this.tools(name, () => [rows()], sql && `${sql};`, "table"));
    },
};

document.querySelectorAll("table[data-name]").forEach((table) => {
    const definition = table.closest("details");
    if (definition) {
        // hundreds of them, of which a reader opens one
        definition.addEventListener("toggle", () => report.toolsOf(table), {once: true});
    } else {
        report.toolsOf(table);
    }
});

// DataTables takes its dark colours from a class.
const dark = matchMedia("(prefers-color-scheme: dark)");
const followDark = () => document.documentElement.classList.toggle("dark", dark.matches);
dark.addEventListener("change", followDark);
followDark();

// To the content without a word in the address, where pages keep what was chosen.
document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
});
