# SPDX-License-Identifier: GPL-2.0
#
# cover.awk [-v from=SENDER] OLD NEW: the cover letter NEW of git format-patch,
# with the subject and the text of OLD. Of NEW stay the headers, and all from the
# list of commits on, which starts with "Name (number):".

FNR == 1 { file++; head = 1; tail = 0 }

file == 1 && head && /^Subject: / { subject = $0; sub(/^Subject: (\[[^]]*\] )?/, "", subject); more = 1; next }
file == 1 && head && more && /^ / { subject = subject "\n" $0; next }
file == 1 && head { more = 0; if ($0 == "") head = 0; next }
file == 1 && /^[^ ].* \([0-9]+\):$/ { tail = 1 }
file == 1 && !tail { body = body $0 "\n" }
file == 1 { next }

head && from != "" && /^From: / { print "From: " from; next }
head && /^Subject: / {
	match($0, /\[[^]]*\]/)
	print "Subject: " substr($0, RSTART, RLENGTH) " " subject
	next
}
head && /^(MIME-Version|Content-)/ { next }
head && $0 == "" {
	head = 0
	print "MIME-Version: 1.0"
	print "Content-Type: text/plain; charset=UTF-8"
	print "Content-Transfer-Encoding: 8bit\n"
	sub(/\n+$/, "\n", body)
	print body
}
head { print }
/^[^ ].* \([0-9]+\):$/ { tail = 1 }
tail { print }
