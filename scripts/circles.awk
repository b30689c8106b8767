# Reads all source files of a crate, as paths below its src, and prints its circles; see check-circles. POSIX awk.
#
# Modules are named by their path (`crate`, `crate::a::b`), here `m`. `path` is a path of names with `::` between them.

FNR == 1 { end_file(); start_file() }
{ tokenize($0) }

END {
    end_file()
    for (n = 1; n <= files; n++) find_imports(module[n])
    for (n = 1; n <= files; n++) if (!(module[n] in shown)) show_circle(module[n])
    exit found
}

# ---- Files and their tokens

function start_file(    m) {
    m = FILENAME
    sub(/\.rs$/, "", m)
    sub(/(^|\/)(mod|lib)$/, "", m)
    gsub("/", "::", m)
    m = m == "" ? "crate" : "crate::" m
    module[++files] = m
    file[m] = FILENAME
    tokens = 0
    string_end = ""
    in_comment = 0
}

# Splits a line into words, `::` and single characters; leaves out comments, literals and lifetimes.
function tokenize(line,    at) {
    while (line != "") {
        if (in_comment) {
            if (!(at = index(line, "*/"))) return
            in_comment = 0
            line = substr(line, at + 2)
        } else if (string_end == "\"") {
            if (!match(line, /^([^"\\]|\\.)*"/)) return
            string_end = ""
            line = substr(line, RLENGTH + 1)
        } else if (string_end != "") {
            if (!(at = index(line, string_end))) return
            line = substr(line, at + length(string_end))
            string_end = ""
        } else if (line ~ /^\/\//) {
            return
        } else if (line ~ /^\/\*/) {
            in_comment = 1
        } else if (match(line, /^[bc]?r#*"/)) {
            string_end = substr(line, 1, RLENGTH)
            sub(/^[bc]?r/, "", string_end)
            string_end = "\"" substr(string_end, 1, length(string_end) - 1)
            line = substr(line, RLENGTH + 1)
        } else if (match(line, /^[bc]?"/)) {
            string_end = "\""
            line = substr(line, RLENGTH + 1)
        } else if (match(line, /^b?'([^'\\]|[^ -~][^ -~]*|\\.[^']*)'/) || match(line, /^('|[0-9])[A-Za-z0-9_]*/) ||
                match(line, /^[ \t]+/)) {
            line = substr(line, RLENGTH + 1)
        } else {
            if (!match(line, /^(r#)?[A-Za-z_][A-Za-z0-9_]*/) && !match(line, /^::/)) RLENGTH = 1
            token[++tokens] = substr(line, 1, RLENGTH)
            line = substr(line, RLENGTH + 1)
        }
    }
}

# Takes a file's tokens apart into its `use` items and the paths of its code.
function end_file(    i, m, public) {
    m = module[files]
    for (i = 1; i <= tokens; i++) {
        if (next_are(i, "# [ cfg ( test ) ]")) {
            i = skip_test(m, i + 7)
        } else if (next_are(i, "# [ macro_export ] macro_rules !")) {
            alias["crate", token[i + 6]] = m "::" token[i + 6]
        } else if (token[i] == "use" && token[i + 1] != "<") {
            public = i > 1 && token[i - 1] ~ /^(pub|\))$/
            i = read_tree(m, i + 1, "", public)
        } else if (token[i] ~ /^[A-Za-z_]/ && token[i - 1] !~ /^(\.|fn|mod)$/) {
            i = read_path(m, i)
        }
    }
    for (i in token) delete token[i]
}

function next_are(i, words,    word, count, n) {
    if (token[i] != substr(words, 1, 1)) return 0
    count = split(words, word, " ")
    for (n = 1; n <= count; n++) if (token[i + n - 1] != word[n]) return 0
    return 1
}

# Skips the item from token i on, which is only there for tests; the last token of it.
function skip_test(m, i,    depth) {
    for (; i <= tokens; i++) {
        if (token[i] == "mod" && token[i + 2] == ";") only_for_tests[m "::" token[i + 1]] = 1
        if (token[i] ~ /^[{([]$/) depth++
        if (token[i] ~ /^[})\]]$/) depth--
        if (depth == 0 && token[i] ~ /^[;}]$/) break
    }
    return i
}

# Reads a tree of a `use` from token i on; the token after it.
function read_tree(m, i, path, public,    name) {
    while (token[i] ~ /^[A-Za-z_:]/ && token[i] != "as") {
        if (token[i] != "::" && !(token[i] == "self" && path != "")) {
            name = token[i]
            path = path == "" ? name : path "::" name
        } else if (token[i] == "self") {
            name = last_of(path)
        }
        i++
    }
    if (token[i] == "{") {
        for (i++; i <= tokens && token[i] != "}";) {
            if (token[i] == ",") i++
            else i = read_tree(m, i, path, public)
        }
        return i + 1
    }
    if (token[i] == "*") {
        globs[m] = globs[m] " " path
        add_use(m, path, "", public)
        return i + 1
    }
    if (token[i] == "as") {
        name = token[i + 1]
        i += 2
    }
    add_use(m, path, name, public)
    return i
}

function add_use(m, path, name, public) {
    uses[m]++
    use_path[m, uses[m]] = path
    use_name[m, uses[m]] = name
    use_public[m, uses[m]] = public
    if (name != "" && name != "_" && name != path) alias[m, name] = path
}

# Reads a path in code from token i on; the last token of it.
function read_path(m, i,    path) {
    path = token[i]
    while (token[i + 1] == "::" && token[i + 2] ~ /^[A-Za-z_]/) {
        path = path "::" token[i + 2]
        i += 2
    }
    mentions[m, first_of(path)] = 1
    if (path ~ /::/) paths[m] = paths[m] " " path
    return i
}

# ---- What a path means

# The module that defines what `path`, as written in module m, names; "" for what is not of this crate. Sets
# `ends_in_module` where it names the module itself.
function resolve(m, path, depth,    head) {
    ends_in_module = 0
    if (depth > 20) return ""
    head = first_of(path)
    if (head == "crate") {
        m = head
    } else if (head == "super") {
        sub(/::[^:]*$/, "", m)
    } else if (head != "self") {
        return (m "::" head) in file || (m, head) in alias ? descend(m, path, depth) : ""
    }
    path = rest_of(path)
    return first_of(path) == "super" ? resolve(m, path, depth + 1) : descend(m, path, depth)
}

# The same for a `path` whose first name is one of module m.
function descend(m, path, depth,    head, rest, glob, count, n, there) {
    if (path == "") {
        ends_in_module = 1
        return m
    }
    head = first_of(path)
    rest = rest_of(path)
    # A function may have the name of a module; then a path that goes on is the module's.
    if ((m "::" head) in file && (rest != "" || !((m, head) in alias))) return descend(m "::" head, rest, depth)
    if ((m, head) in alias) {
        path = alias[m, head]
        if (path == head "::" head) return descend(m "::" head, head (rest == "" ? "" : "::" rest), depth)
        return resolve(m, rest == "" ? path : path "::" rest, depth + 1)
    }
    count = split(globs[m], glob, " ")
    for (n = 1; n <= count; n++) {
        there = resolve(m, glob[n], depth + 1)
        if (there != "" && ((there "::" head) in file || (there, head) in alias)) return descend(there, path, depth + 1)
    }
    ends_in_module = 0
    return m
}

function first_of(path) { sub(/::.*/, "", path); return path }
function rest_of(path) { return path ~ /::/ ? substr(path, index(path, "::") + 2) : "" }
function last_of(path) { sub(/.*::/, "", path); return path }

# ---- What imports what

function find_imports(m,    n, count, path) {
    if (is_test(m)) return
    for (n = 1; n <= uses[m]; n++) {
        # What is only handed on is not used.
        if (use_public[m, n] && !((m, use_name[m, n]) in mentions)) continue
        add_import(m, resolve(m, use_path[m, n], 0), use_name[m, n] != "")
    }
    count = split(paths[m], path, " ")
    for (n = 1; n <= count; n++) add_import(m, resolve(m, path[n], 0), 1)
}

# The name of a module alone is no import: what is used of it comes as a path.
function add_import(m, target, may_be_module) {
    if (target == "" || target == m || is_test(target) || ends_in_module && may_be_module) return
    if ((m, target) in imported) return
    imported[m, target] = 1
    imports[m, ++import_count[m]] = target
}

function is_test(m) {
    for (; m != "crate"; sub(/::[^:]*$/, "", m)) if (m in only_for_tests) return 1
    return 0
}

# ---- Circles

# Prints the shortest circle that module m is part of, if there is one: breadth first, until m comes up again.
function show_circle(m,    queue, head, tail, from, at, to, n, text) {
    queue[head = tail = 1] = m
    for (; head <= tail; head++) {
        at = queue[head]
        for (n = 1; n <= import_count[at]; n++) {
            to = imports[at, n]
            if (to in from) continue
            from[to] = at
            queue[++tail] = to
            if (to == m) {
                for (text = file[m]; from[to] != m; text = file[to] " -> " text) {
                    to = from[to]
                    shown[to] = 1
                }
                shown[m] = found = 1
                print "circles in " crate ": " file[m] " -> " text
                return
            }
        }
    }
}
