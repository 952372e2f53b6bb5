#pragma once
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <stdint.h>

// Swift cannot call variadic C functions, and el_wset, el_wget and history_w are nothing else. Each
// wrapper fixes one operation and the types of its arguments. The wide interface is used
// throughout: the narrow one converts every line through the locale and loses what does not fit
// into it.

typedef unsigned char (*sami_edit_function)(EditLine *, wint_t);

/// Emacs keys. libedit starts with vi's, where letters typed first are commands.
static inline int sami_edit_use_emacs_keys(EditLine *line) {
    return el_wset(line, EL_EDITOR, L"emacs");
}

/// Whether the user's .editrc switched to vi's keys, which drops every binding made before.
static inline int sami_edit_has_vi_keys(EditLine *line) {
    const wchar_t *editor = 0;
    return el_wget(line, EL_EDITOR, &editor) == 0 && editor && editor[0] == L'v';
}

/// Signals stay ours: this build of libedit would send them on to the whole process group.
static inline int sami_edit_leave_signals(EditLine *line) { return el_wset(line, EL_SIGNAL, 0); }

/// A prompt whose escapes stand between two `escape` characters and take no cells.
static inline int sami_edit_set_prompt(
    EditLine *line, wchar_t *(*prompt)(EditLine *), wchar_t escape) {
    return el_wset(line, EL_PROMPT_ESC, prompt, (int)escape);
}

/// Our own way to read a character: it wakes up for signals as well as for keys.
static inline int sami_edit_set_reader(EditLine *line, int (*reader)(EditLine *, wchar_t *)) {
    return el_wset(line, EL_GETCFN, reader);
}

/// Names a function of ours, so that it can be bound to keys here and in .editrc.
static inline int sami_edit_add_function(
    EditLine *line, const wchar_t *name, const wchar_t *help, sami_edit_function function) {
    return el_wset(line, EL_ADDFN, name, help, function);
}

/// Binds a key sequence. The list of arguments must end with a null pointer.
static inline int sami_edit_bind(EditLine *line, const wchar_t *keys, const wchar_t *function) {
    return el_wset(line, EL_BIND, keys, function, (const wchar_t *)0);
}

/// What callbacks find their Swift object by.
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

/// Hands the terminal back in its usual mode (0) or takes it for editing (1), around a stop.
static inline int sami_edit_prepare_terminal(EditLine *line, int editing) {
    return el_wset(line, EL_PREP_TERM, editing);
}

/// Takes from Ctrl-D its meaning while no line is edited: the system would turn it into the end of
/// what is typed, and the next line never see it. Typed ahead it now waits like any other key.
static inline int sami_edit_keep_end_key(EditLine *line) {
    return el_wset(line, EL_SETTY, L"-x", L"eof=", (const wchar_t *)0);
}

static inline int sami_history_set_size(HistoryW *history, int entries) {
    HistEventW event;
    return history_w(history, &event, H_SETSIZE, entries);
}

/// Keeps a line that repeats the one before it from being entered twice.
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

/// Where libedit complains, after it has started.
static inline int sami_edit_set_errors(EditLine *line, FILE *errors) {
    return el_wset(line, EL_SETFP, 2, errors);
}
