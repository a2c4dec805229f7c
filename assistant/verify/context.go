package verify

import (
	"regexp"
	"slices"
	"strings"
)

const (
	methodNames = `GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|TRACE`
	methodList  = "(?:" + methodNames + ")(?:[`*]*(?:/|\\||, ?|,? and |,? or | & )[`*]*(?:" + methodNames + "))*"
)

// What says which method goes with a path. They are matched against a bounded
// stretch of text before or after it.
var (
	// GET /x, **GET** `/x`, | GET | `/x`, GET: /x, GET → /x
	directlyBefore = regexp.MustCompile("(?:^|[^\\w-])(" + methodList + ")[`*_\"']*(?:[ \\t]*(?:[:|(–—-]|→|->)?)[ \\t\\n>]*[`*_\"'(\\[]*$")
	// in code spans people write methods in lower case, too
	lowerBefore = regexp.MustCompile("`(get|post|put|patch|delete|head) $")
	// POST to /x, DELETE it at /x, a PUT request on the item /x
	inSentence = regexp.MustCompile("(?:^|[^\\w-])(" + methodNames + ")[`*_\"']*((?:[ \\n]+[\\w`'*\"-]+){0,9}?)[ \\n]+(?:to|on|at|from|against|for|of|into|upon|via|is|calls?|endpoint|path|route|resource|URL|address)(?: the| this| its)?(?: endpoint| path| route| resource| URL| address)?:?[ \\n]+[`*_\"'(\\[]*$")
	// a delete request to /x
	lowerInSentence = regexp.MustCompile("(?:^|[^\\w-])(get|post|put|patch|delete)[- ](?:request|call)s? (?:to|on|at|for|against)(?: the)?(?: endpoint| path)? [`*_\"'(\\[]*$")
	// Send a POST request with … . It is …, that is /x
	sentenceBefore = regexp.MustCompile(`(?i:send|make|issue|do|use|with|by) (?i:a|an|the|one)? ?[` + "`*" + `]*(` + methodNames + `)[` + "`*" + `]* (?:request|call)\b`)
	// /x (POST), /x endpoint (POST)
	inParens = regexp.MustCompile("^[`*_\"'\\])]*[ \\n]*(?:endpoint|route|path|resource|operation)?[ \\n]*\\([`*]*(" + methodList + ")[`*]*(?: only| request)?\\)")
	// /x with a DELETE, /x accepts POST
	afterwards = regexp.MustCompile("^[`*_\"'\\])]*[ \\n]+(?:endpoint |route |path )?(?:with|using|via|by|over|through|accepts|takes|supports|answers|expects)[ \\n]+(?:an? |the |only )?(?:HTTP )?[`*]*(" + methodList + ")[`*]*(?:[ \\n.,;:!)]|$)")
	method     = regexp.MustCompile(`\b(?:` + methodNames + `)\b`)
	negation   = regexp.MustCompile(`(?i)\b(?:no|not|never|without|cannot|nor|isn't|aren't|don't|doesn't|didn't|can't|won't|instead of|rather than|unlike)\b`)
	turn       = regexp.MustCompile(`(?i)\b(?:and|then|but|while|whereas)\b`)
)

// near bounds how far from a path its context is looked at, in bytes.
const near = 300

// before is the text of the unit before a target, as far as it can belong to it.
func (u *unit) before(i int) string {
	from := max(u.start, u.targets[i].start-near)
	if i > 0 {
		from = max(from, min(u.targets[i-1].end, u.targets[i].start))
	}
	return u.text[from:u.targets[i].start]
}

// after is the text of the unit after a target, up to the next one.
func (u *unit) after(i int) string {
	to := min(u.end, u.targets[i].end+near)
	if i+1 < len(u.targets) {
		to = min(to, max(u.targets[i+1].first, u.targets[i].end))
	}
	return u.text[u.targets[i].end:to]
}

// bind finds the methods that go with a target.
func (u *unit) bind(i int) {
	t := &u.targets[i]
	if t.path == "" {
		return
	}
	before := u.before(i)
	if m := directlyBefore.FindStringSubmatchIndex(before); m != nil {
		t.methods = methodsIn(before[m[2]:m[3]])
		t.first = t.start - len(before) + m[2]
		return
	}
	if m := lowerBefore.FindStringSubmatchIndex(before); m != nil {
		t.methods = []string{strings.ToUpper(before[m[2]:m[3]])}
		t.first = t.start - len(before) + m[2]
		return
	}
	if u.strict {
		return
	}
	after := u.after(i)
	if m := inParens.FindStringSubmatch(after); m != nil {
		t.methods = methodsIn(m[1])
		return
	}
	if m := afterwards.FindStringSubmatch(after); m != nil && !negation.MatchString(m[0]) {
		t.methods = methodsIn(m[1])
		return
	}
	if methods := u.row(t); methods != nil {
		t.methods = methods
		return
	}
	if m := inSentence.FindStringSubmatchIndex(before); m != nil && !turn.MatchString(before[m[4]:m[5]]) && !method.MatchString(before[m[4]:m[5]]) {
		if !negation.MatchString(clause(before[:m[2]])) {
			t.methods = []string{before[m[2]:m[3]]}
		}
		return
	}
	if m := lowerInSentence.FindStringSubmatchIndex(before); m != nil {
		if !negation.MatchString(clause(before[:m[2]])) {
			t.methods = []string{strings.ToUpper(before[m[2]:m[3]])}
		}
		return
	}
	if all := method.FindAllStringIndex(before, 2); len(all) == 1 {
		if m := sentenceBefore.FindStringSubmatchIndex(before); m != nil && !negation.MatchString(clause(before[:m[0]])) {
			t.methods = []string{before[m[2]:m[3]]}
		}
	}
}

func methodsIn(list string) []string {
	all := method.FindAllString(list, len(httpMethods))
	slices.Sort(all)
	return slices.Compact(all)
}

// clause is the end of a text after its last sentence or comma.
func clause(s string) string { return s[strings.LastIndexAny(s, ".;:,!?")+1:] }

// row finds the methods in another cell of the row of a table.
func (u *unit) row(t *target) []string {
	line := strings.TrimLeft(u.text[u.start:u.end], " \t>")
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	var found []string
	for cell := range strings.SplitSeq(line[:min(len(line), 4*near)], "|") {
		cell = strings.Trim(cell, " \t`*_")
		if cell == "" || !slices.Contains(httpMethods, strings.Trim(method.ReplaceAllString(cell, "GET"), " ")) && method.ReplaceAllString(strings.NewReplacer(",", "", "/", "", "`", "", "and", "", " ", "").Replace(cell), "") != "" {
			continue
		}
		found = append(found, methodsIn(cell)...)
	}
	return found
}

// denials say that something does not exist, before and after it.
var (
	denialBefore = regexp.MustCompile("(?i)\\b(?:there(?:'s| is| are) no|has no|have no|without an?|no such (?:endpoint|path|route|operation)(?: as)?|do(?:es)? not (?:have|offer|provide)|do(?:es)?n't (?:have|offer|provide)|not)(?: an?)?(?: \\w+){0,2}[ \\n]+[`*_\"'(]*$")
	denialAfter  = regexp.MustCompile("(?i)^[`*_\"')]*[ \\n]+(?:endpoint |path |route )?(?:does not exist|doesn't exist|do not exist|is not part of|isn't part of|is not an endpoint|is no endpoint|no longer exists|was removed)")
)

// denied reports whether the text itself says that a target does not exist.
func (u *unit) denied(t *target) bool {
	before := u.text[max(u.start, t.first-80):t.first]
	after := u.text[t.end:min(u.end, t.end+80)]
	return denialBefore.MatchString(before) || denialAfter.MatchString(after)
}

// vendors are APIs that answers compare with, in lower case.
var vendors = []string{"github", "gitlab", "bitbucket", "stripe", "paypal", "adyen", "twilio", "sendgrid", "slack", "discord", "azure", "aws", "anthropic", "claude",
	"openai", "gemini", "mistral", "cohere", "google", "spotify", "dropbox", "shopify", "zendesk", "salesforce", "hubspot", "jira", "atlassian", "notion", "trello",
	"asana", "figma", "netlify", "vercel", "heroku", "digitalocean", "linode", "hetzner", "vultr", "cloudflare", "trakt", "tmdb", "imdb", "omdb", "tvdb", "facebook", "instagram",
	"twitter", "linkedin", "youtube", "reddit", "telegram", "whatsapp", "ollama", "elasticsearch", "kubernetes", "docker", "square", "box", "airtable", "mailchimp", "okta", "auth0",
	"deezer", "tidal", "soundcloud", "last.fm", "musicbrainz", "apple", "amazon", "microsoft", "mailgun", "datadog", "sentry", "pagerduty", "intercom", "plaid", "braintree", "mollie"}

var (
	capitalised = regexp.MustCompile(`\b[A-Z][A-Za-z0-9]*(?:\.[a-z]{2,3})?\b`)
	ownServer   = regexp.MustCompile(`(?i)\b(?:your|our|my) (?:own )?(?:\w+ )?(?:server|backend|back end|app|application|proxy|router|frontend|site|website|service|webhook|handler)\b|\b(?:express|flask|fastapi|django|rails|next\.js|nginx) (?:app|route|server|handler)`)
	otherAPI    = regexp.MustCompile(`\b([A-Z][A-Za-z0-9]+)(?:'s)? (?:API|REST API|has|have|calls it|uses)\b`)
)

// elsewhere reports whether the sentence around a target says that it belongs to
// another API or to a server of the reader's own.
func (u *unit) elsewhere(t *target) bool {
	if t.url {
		return false
	}
	s := u.sentence(t)
	if ownServer.MatchString(s) {
		return true
	}
	if m := otherAPI.FindStringSubmatch(s); m != nil && slices.Contains(vendors, strings.ToLower(m[1])) && !u.words[strings.ToLower(m[1])] {
		return true
	}
	for _, name := range capitalised.FindAllString(s, 50) {
		name = strings.ToLower(name)
		if slices.Contains(vendors, name) && !u.words[name] {
			return true
		}
	}
	return false
}

// sentence is what stands around a target between full stops.
func (u *unit) sentence(t *target) string {
	from, to := max(u.start, t.first-near), min(u.end, t.end+near)
	if i := strings.LastIndex(u.text[from:t.first], ". "); i >= 0 {
		from += i + 2
	}
	if i := strings.Index(u.text[t.end:to], ". "); i >= 0 {
		to = t.end + i
	}
	return u.text[from:to]
}
