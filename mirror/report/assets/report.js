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
};

// To the content without a word in the address, where pages keep what was chosen.
document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
});
