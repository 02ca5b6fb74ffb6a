# SPDX-License-Identifier: GPL-2.0-only
#
# bash completion for eptlab, which itself knows what a word may become (cli/complete.h). Installed by
# the package; by hand: ". harness/completion.bash". Needs bash-completion.

_eptlab() {
	local cur words cword reply head line
	_get_comp_words_by_ref -n '=:' cur words cword || return

	COMPREPLY=()
	# What stands behind -- is a command of the user's.
	for ((line = 1; line < cword; line++)); do
		if [ "${words[line]}" = -- ]; then
			compopt -o default
			return
		fi
	done
	if [ "$cword" -le 1 ]; then
		reply=$("${words[0]}" --complete "$cur" 2>/dev/null)
	else
		reply=$("${words[0]}" "${words[1]}" --complete "${words[@]:2:cword-1}" 2>/dev/null)
	fi
	# Readline replaces what follows the last of these only.
	head=${cur%"${cur##*[=:]}"}
	while IFS= read -r line; do
		case $line in
		'') ;;
		@files) compopt -o filenames && mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${cur#"$head"}") ;;
		@folders) compopt -o filenames && mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${cur#"$head"}") ;;
		*) COMPREPLY+=("${line#"$head"}") ;;
		esac
	done <<<"$reply"
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace
	fi
}
complete -F _eptlab eptlab
