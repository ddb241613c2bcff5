# The far end of a file copy, for POSIX sh. What it reads and writes is in `wire.rs`.
LC_ALL=C; export LC_ALL

answer() { printf '%s\0' "$*"; }

# The code of an error message of the system.
code() {
  case $1 in
    *'No space left'* | *'short write'* | *'quota exceeded'* | *'File too large'*) echo full ;;
    *'Permission denied'* | *'not permitted'* | *'Read-only file system'*) echo denied ;;
    *'No such file'*) echo missing ;;
    *'Not a directory'*) echo not-a-folder ;;
    *'s a directory'*) echo is-a-folder ;;
    *'File name too long'*) echo name ;;
    *'Text file busy'*) echo busy ;;
    *) echo other ;;
  esac
}

refuse() { answer "error $1 $2"; }
refuse_by() { refuse "$(code "$1")" "$1"; }

# `head -c` that reads no more from a pipe than it is asked for, or else byte by byte.
if [ "$(printf abcdef | { head -c 3 >/dev/null 2>&1; cat; })" = def ]; then
  take() { if [ "$1" -gt 0 ]; then head -c "$1"; fi; }
else
  take() { if [ "$1" -gt 0 ]; then dd ibs=1 obs=65536 count="$1" 2>/dev/null; fi; }
fi

if command -v sha256sum >/dev/null 2>&1; then
  digest() { sha256sum | cut -c 1-64; }
elif command -v shasum >/dev/null 2>&1; then
  digest() { shasum -a 256 | cut -c 1-64; }
else
  digest() { openssl dgst -sha256 -r | cut -c 1-64; }
fi

# Size and modification time of a file.
if stat -L --printf='%s %.9Y' / >/dev/null 2>&1; then
  describe() { stat -L --printf='%s %.9Y' -- "$1"; }
  entries() { find . -type d -exec stat --printf='d %s %.9Y %n\0' -- {} + -o -type f -exec stat --printf='f %s %.9Y %n\0' -- {} +; }
else
  describe() { echo "$(($(wc -c <"$1"))) $(date -r "$1" +%s)"; }
  entries() {
    find . \( -type d -o -type f \) -exec sh -c 'for f do
      if [ -d "$f" ]; then printf "d 0 0 %s\0" "$f"
      else printf "f %s %s %s\0" "$(($(wc -c <"$f")))" "$(date -r "$f" +%s)" "$f"; fi
    done' sh {} +
  }
fi
links() {
  find . -type l -exec sh -c 'for f do
    if [ -f "$f" ]; then printf "f %s %s %s\0" "$(($(wc -c <"$f")))" "$(date -r "$f" +%s)" "$f"
    else printf "x 0 0 %s\0" "$f"; fi
  done' sh {} +
}

# A line as it was before it was escaped; a byte at its end keeps line breaks there.
text() {
  IFS= read -r text || exit 1
  text=$(printf '%b.' "$text")
  text=${text%.}
}

# `~`, `$NAME` and `${NAME}` of variables that are set; everything else stays as it is.
expand() {
  rest=$1 text=
  case $rest in '~' | '~/'*) text=${HOME-} rest=${rest#\~} ;; esac
  while :; do
    case $rest in
      *'$'*) ;;
      *) text=$text$rest; return ;;
    esac
    text=$text${rest%%\$*} rest=${rest#*\$}
    case $rest in
      '{'*'}'*) name=${rest#\{} name=${name%%\}*} after=${rest#*\}} ;;
      *) name=${rest%%[!A-Za-z0-9_]*} after=${rest#"$name"} ;;
    esac
    case $name in
      '' | [0-9]* | *[!A-Za-z0-9_]*) text=$text'$' ;;
      *)
        # Only a name is left of it.
        if eval "[ -n \"\${$name+set}\" ]"; then eval "text=\$text\${$name}" rest=\$after; else text=$text'$'; fi
        ;;
    esac
  done
}

# A path that no command takes for an option.
root_path() {
  text
  if [ "$1" = 1 ]; then expand "$text"; fi
  root=$text
  case $root in
    '') refuse name 'the path is empty'; exit 1 ;;
    /*) ;;
    *) root=./$root ;;
  esac
}

place() {
  if [ -z "$text" ]; then path=$root; else path=${root%/}/$text; fi
}

# to KIND INTO EXPANDS / NAME / PATH: where files go.
to() {
  text; name=$text
  root_path "$3"
  if [ "$2" = 1 ] && [ -d "$root" ]; then
    root=${root%/}/$name
  else
    case $root in
      /) ;;
      */)
        if [ "$1" = f ]; then refuse missing "$root is no folder"; exit 1; fi
        root=${root%/}
        ;;
    esac
  fi
  if [ -d "$root" ]; then what=folder; elif [ -e "$root" ]; then what=file; else what=nothing; fi
  if [ "$1" = d ] && [ $what = file ]; then refuse not-a-folder "$root is a file"; exit 1; fi
  answer "root $what $root"
}

# from EXPANDS / PATH: where files come from.
from() {
  root_path "$1"
  if [ -d "$root" ]; then answer "root folder $root"
  elif [ -e "$root" ]; then answer "root file $root"
  else refuse missing "$root does not exist"; exit 1; fi
}

# folder / PATH
folder() {
  text; place
  if message=$(mkdir -p -- "$path" 2>&1); then answer ok; else refuse_by "$message"; fi
}

# Why a file is not taken, before any of it has come.
judge() {
  if [ -d "$path" ]; then refused='error is-a-folder'" $path is a folder"; return; fi
  if [ -e "$path" ]; then
    # A device or a pipe would be replaced by a file of its name.
    if ! [ -f "$path" ]; then refused="error other $path is no regular file"; return; fi
    case $policy in
      refuse) refused="error exists $path exists" ;;
      skip) refused=skipped ;;
      update)
        found=$(describe "$path" 2>/dev/null)
        if [ "${found%.*}" = "$size $seconds" ]; then refused=skipped; fi
        ;;
    esac
  fi
}

# Nothing more comes: what is not whole is of use only to who goes on with it.
give_up() {
  if [ "$resumes" != 1 ]; then rm -f -- "$partial"; fi
  exit 1
}

# put SIZE POLICY WAITS RESUMES TOKEN SECONDS NANOSECONDS TIME / PATH, then the content and its digest.
put() {
  size=$1 policy=$2 waits=$3 resumes=$4 token=$5 seconds=$6 time=$8
  text; place
  refused= offset=0
  judge
  case $path in */*) partial=${path%/*}/.winrm-$token.partial ;; *) partial=./.winrm-$token.partial ;; esac
  if [ "$waits" = 1 ]; then
    if [ -n "$refused" ]; then answer "$refused"; return; fi
    if [ "$resumes" = 1 ] && [ -s "$partial" ]; then
      answer "go $(($(wc -c <"$partial"))) $(digest <"$partial")"
    else
      # Told now what would be told after the content.
      if ! message=$( (: >"$partial") 2>&1); then refuse_by "${message:-cannot create $partial}"; return; fi
      answer 'go 0 -'
    fi
    read -r _ offset || give_up
  fi
  left=$((size - offset))
  if [ -n "$refused" ]; then
    take "$left" >/dev/null
    IFS= read -r digest || exit 1
    answer "$refused"
    return
  fi
  # What tee says of the file comes before the digest, which is the last line.
  if [ "$offset" -gt 0 ]; then
    message=$(take "$left" | tee -a -- "$partial" 2>&1 >/dev/null)
    sum=$(digest <"$partial")
  else
    message=$({ take "$left" | tee -- "$partial" 2>&3 | digest; } 3>&1)
    sum=${message##*"$newline"}
    message=${message%"$sum"}
  fi
  IFS= read -r digest || give_up
  if [ -n "$message" ]; then
    rm -f -- "$partial"
    refuse_by "${message%"$newline"}"
  elif [ "$(($(wc -c <"$partial")))" -ne "$size" ] && [ "$digest" != - ]; then
    # Not every tee tells.
    rm -f -- "$partial"
    refuse full "$path was not written whole"
  elif [ "$sum" != "$digest" ]; then
    rm -f -- "$partial"
    refuse changed "$path did not arrive as it was sent"
  else
    if [ "$seconds" != - ]; then
      TZ=UTC0 touch -d "$time" -- "$partial" 2>/dev/null || touch -d "@$seconds" -- "$partial" 2>/dev/null
    fi
    # Somebody may have made it meanwhile.
    judge
    if [ -n "$refused" ]; then
      rm -f -- "$partial"
      answer "$refused"
    elif message=$(mv -f -- "$partial" "$path" 2>&1); then
      answer "ok $sum"
    else
      rm -f -- "$partial"
      refuse_by "$message"
    fi
  fi
}

# Writes the content to 3, and its digest down: in one go where there is a name for 3.
if [ "$({ echo x | tee /dev/fd/3 >/dev/null 2>&1; } 3>&1)" = x ]; then
  send() { sum=$(take "$size" <"$path" | tee /dev/fd/3 | digest); }
else
  send() {
    take "$size" <"$path" >&3
    sum=$(take "$size" <"$path" | digest)
  }
fi

# Finds out about the file that is asked for.
find_file() {
  text; place
  if [ -d "$path" ]; then refuse is-a-folder "$path is a folder"; return 1; fi
  if ! [ -e "$path" ]; then refuse missing "$path does not exist"; return 1; fi
  if ! [ -f "$path" ]; then refuse other "$path is no regular file"; return 1; fi
  if ! [ -r "$path" ]; then refuse denied "$path: Permission denied"; return 1; fi
  if ! found=$(describe "$path" 2>&1); then refuse_by "$found"; return 1; fi
  size=${found%% *}
}

# look / PATH
look() {
  if find_file; then answer "file $size ${found#* } 0"; fi
}

# get OFFSET / PATH
get() {
  offset=$1
  if ! find_file; then return; fi
  if [ "$offset" -gt "$size" ]; then offset=0; fi
  answer "file $size ${found#* } $offset"
  if [ "$offset" -gt 0 ]; then
    tail -c "+$((offset + 1))" -- "$path" | take "$((size - offset))"
    sum=$(take "$size" <"$path" | digest)
  else
    send 3>&1
  fi
  # Fewer bytes came than were promised: nobody could tell them from what follows.
  if [ "$(($(wc -c <"$path")))" -lt "$size" ]; then exit 1; fi
  answer "sum $sum"
}

list() {
  if ! message=$(cd -- "$root" 2>&1); then refuse_by "$message"; return; fi
  answer listing
  { message=$({ cd -- "$root" && entries && links; } 2>&1 >&4); } 4>&1
  printf '%s' "$message" | while IFS= read -r line || [ -n "$line" ]; do
    printf 'e 0 0 %s\0' "$line"
  done
  printf '.\0'
}

newline='
'
while IFS=' ' read -r verb arguments; do
  # None of them has blanks in it.
  set -f
  # shellcheck disable=SC2086
  set -- $arguments
  set +f
  case $verb in
    to) to "$@" ;;
    from) from "$@" ;;
    folder) folder ;;
    put) put "$@" ;;
    look) look ;;
    get) get "$@" ;;
    list) list ;;
    *) refuse protocol "$verb is not known"; exit 1 ;;
  esac
done
