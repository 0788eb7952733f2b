// The completion scripts: each passes the words of the line to `orrery __complete` and its output to the shell.
import { directives } from "./offer.ts";

const { noSpace, noFiles, extensions, folders } = directives;

const bash = `# bash completion for orrery
_orrery() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() last=-1 word i
  # bash splits words at "=" and ":". What no blank precedes belongs to the word before.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $line == [[:blank:]]* || i -eq 0 ]] && words[++last]=""
    line=\${line#"\${line%%[![:blank:]]*}"}
    ((i == COMP_CWORD)) && word=$line
    words[last]+=$word
    line=\${line#"$word"}
  done
  word=\${words[last]}
  local flag="" program=\${words[0]/#\\~/$HOME}
  [[ $word == -*=* ]] && flag=\${word%%=*}=
  type -P "$program" >/dev/null || program=orrery
  local output tab=$'\\t' candidate file width=0
  output=$("$program" __complete "\${words[@]:1}" 2>/dev/null) || return
  local directive=\${output##*:}
  output=\${output%:*}
  local kept=\${word%"$2"}
  COMPREPLY=()
  if ((directive & ${extensions | folders})); then
    while IFS= read -r file; do
      [[ -d $file ]] || { ((directive & ${extensions})) && [[ $'\\n'$output == *$'\\n'"\${file##*.}"$'\\n'* ]]; } || continue
      file=$flag$file
      COMPREPLY+=("\${file#"$kept"}")
    done < <(compgen -f -- "\${word#"$flag"}")
    compopt -o filenames 2>/dev/null
    return
  fi
  while IFS= read -r candidate; do
    [[ -n $candidate ]] || continue
    candidate=$flag$candidate
    COMPREPLY+=("\${candidate#"$kept"}")
    candidate=\${COMPREPLY[\${#COMPREPLY[@]} - 1]%%$tab*}
    ((\${#candidate} > width)) && width=\${#candidate}
  done <<<"$output"
  for i in "\${!COMPREPLY[@]}"; do
    candidate=\${COMPREPLY[i]%%$tab*}
    # Descriptions are for lists: a single candidate, and those of menu-complete, are inserted.
    if ((\${#COMPREPLY[@]} == 1 || COMP_TYPE == 37 || COMP_TYPE == 42)); then COMPREPLY[i]=$(printf %q "$candidate")
    elif [[ \${COMPREPLY[i]} == *$tab* ]]; then
      printf -v candidate "%-\${width}s  (%s)" "$candidate" "\${COMPREPLY[i]#*$tab}"
      COMPREPLY[i]=\${candidate:0:\${COLUMNS:-80}}
    fi
  done
  ((directive & ${noSpace})) && compopt -o nospace 2>/dev/null
  ((directive & ${noFiles})) && compopt +o default 2>/dev/null
}
complete -o default -F _orrery orrery ./orrery
`;

const zsh = `#compdef orrery
_orrery() {
  local line
  local -a lines candidates options
  lines=("\${(@f)$("\${words[1]}" __complete "\${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  local -i directive=\${lines[-1]#:}
  lines[-1]=()
  [[ $PREFIX == -*=* ]] && compset -P '*='
  if ((directive & ${extensions})); then _files -g "*.(\${(j:|:)lines})"
  elif ((directive & ${folders})); then _files -/
  else
    for line in $lines; do candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}"); done
    ((directive & ${noSpace})) && options=(-S '')
    ((\${#candidates})) && _describe -t candidates orrery candidates "\${options[@]}"
    ((directive & ${noFiles})) || _files
  fi
}
if [[ $funcstack[1] == _orrery ]]; then _orrery; else compdef _orrery orrery; fi
`;

const fish = `# fish completion for orrery
function __orrery_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l program $words[1]
  set -e words[1]
  set -l lines ($program __complete $words "$current" 2>/dev/null)
  set -l directive (string replace : '' -- $lines[-1])
  set -e lines[-1]
  set -l flag (string match -r -- '^-[^=]*=' "$current")
  set -l value (string replace -r -- '^-[^=]*=' '' "$current")
  test (math "bitand($directive, ${extensions})") -ne 0; and set lines
  if test (math "bitand($directive, ${folders})") -ne 0
    set lines (__fish_complete_directories "$value")
  else if test (math "bitand($directive, ${noFiles})") -eq 0
    set -a lines (__fish_complete_path "$value")
  end
  for line in $lines
    printf '%s%s\\n' "$flag" $line
  end
end
complete -c orrery -e
complete -c orrery -f -a '(__orrery_complete)'
`;

/** The script of each shell that has one. */
export const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };
