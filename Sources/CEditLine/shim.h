#pragma once
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <stdint.h>

// Swift cannot call variadic C functions, and el_wset, el_wget and history_w are variadic. Each
// wrapper fixes one operation and the types of its arguments. All use the wide interface: the
// narrow one converts every line to the locale's encoding and loses characters that it lacks.

typedef unsigned char (*sami_edit_function)(EditLine *, wint_t);

/// Emacs keys. libedit starts with vi's keys, in which the first letters are commands.
static inline int sami_edit_use_emacs_keys(EditLine *line) {
    return el_wset(line, EL_EDITOR, L"emacs");
}

/// Whether the user's .editrc switched to vi's keys, which removes all earlier bindings.
static inline int sami_edit_has_vi_keys(EditLine *line) {
    const wchar_t *editor = 0;
    return el_wget(line, EL_EDITOR, &editor) == 0 && editor && editor[0] == L'v';
}

/// libedit must not handle signals: this build of it would forward them to the whole process group.
static inline int sami_edit_leave_signals(EditLine *line) { return el_wset(line, EL_SIGNAL, 0); }

/// A prompt whose escape sequences stand between two `escape` characters and take no cells.
static inline int sami_edit_set_prompt(
    EditLine *line, wchar_t *(*prompt)(EditLine *), wchar_t escape) {
    return el_wset(line, EL_PROMPT_ESC, prompt, (int)escape);
}

/// Our own function to read a character: signals wake it as well as keys.
static inline int sami_edit_set_reader(EditLine *line, int (*reader)(EditLine *, wchar_t *)) {
    return el_wset(line, EL_GETCFN, reader);
}

/// Names one of our functions, so that it can be bound to keys here and in .editrc.
static inline int sami_edit_add_function(
    EditLine *line, const wchar_t *name, const wchar_t *help, sami_edit_function function) {
    return el_wset(line, EL_ADDFN, name, help, function);
}

/// Binds a key sequence. The list of arguments must end with a null pointer.
static inline int sami_edit_bind(EditLine *line, const wchar_t *keys, const wchar_t *function) {
    return el_wset(line, EL_BIND, keys, function, (const wchar_t *)0);
}

/// Callbacks find their Swift object by this pointer.
static inline int sami_edit_set_owner(EditLine *line, void *owner) {
    return el_wset(line, EL_CLIENTDATA, owner);
}

static inline void *sami_edit_owner(EditLine *line) {
    void *owner = 0;
    return el_wget(line, EL_CLIENTDATA, &owner) == 0 ? owner : 0;
}

static inline int sami_edit_set_history(EditLine *line, HistoryW *history) {
    return el_wset(line, EL_HIST, history_w, history);
}

/// Draws the line again, after something else was written over it.
static inline int sami_edit_refresh(EditLine *line) { return el_wset(line, EL_REFRESH); }

/// Restores the terminal's usual mode (0) or its mode for editing (1), around a stop.
static inline int sami_edit_prepare_terminal(EditLine *line, int editing) {
    return el_wset(line, EL_PREP_TERM, editing);
}

/// Removes the meaning of Ctrl-D while no line is edited: the system would turn the key into an end
/// of input, and the next line would never receive it. Typed ahead, it now waits like any other
/// key.
static inline int sami_edit_keep_end_key(EditLine *line) {
    return el_wset(line, EL_SETTY, L"-x", L"eof=", (const wchar_t *)0);
}

static inline int sami_history_set_size(HistoryW *history, int entries) {
    HistEventW event;
    return history_w(history, &event, H_SETSIZE, entries);
}

/// Does not enter a line that repeats the previous line.
static inline int sami_history_set_unique(HistoryW *history) {
    HistEventW event;
    return history_w(history, &event, H_SETUNIQUE, 1);
}

static inline int sami_history_enter(HistoryW *history, const wchar_t *entry) {
    HistEventW event;
    return history_w(history, &event, H_ENTER, entry);
}

/// The kind of terminal to drive, by its name in terminfo.
static inline int sami_edit_set_terminal(EditLine *line, const char *name) {
    return el_set(line, EL_TERMINAL, name);
}

/// The stream for libedit's error messages after its start.
static inline int sami_edit_set_errors(EditLine *line, FILE *errors) {
    return el_wset(line, EL_SETFP, 2, errors);
}
