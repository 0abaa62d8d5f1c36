# bash completion of sessionlogd. It asks the program itself, so it knows every command and option that there is.
_sessionlogd() {
  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD - 1]}" command=() word help
  COMPREPLY=()
  case "$before" in
    -c | --config)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
  esac
  # The commands typed so far: "state show". What is none of them is an argument.
  help="$(sessionlogd --help 2>/dev/null)"
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    grep -q "^  $word  " <<<"${help#*Subcommands:}" && [[ "$help" == *Subcommands:* ]] || continue
    command+=("$word")
    help="$(sessionlogd "${command[@]}" --help 2>/dev/null)"
  done
  local words=""
  if [[ "$current" == -* ]]; then
    words="$(sed -n '/^Options:/,/^$/p' <<<"$help" | grep -o -e '--[a-z-]*' | sort -u)"
  elif [[ "$help" == *Subcommands:* ]]; then
    words="$(sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$help")"
  elif [[ "${command[*]}" == dialects ]]; then
    words="$(sessionlogd dialects 2>/dev/null | sed 's/ .*//')"
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _sessionlogd sessionlogd
