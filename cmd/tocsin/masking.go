package main

import (
	"slices"
	"strings"

	"tocsin/internal/app"
	"tocsin/internal/httpx"
)

// masked stands for a value that is not shown, whether or not there is one.
const masked = "secret"

// shown returns all flags, sorted by name, with the values that may be shown.
func (f *flags) shown() []app.Flag {
	shown := make([]app.Flag, 0, len(f.entries))
	for _, e := range f.sorted() {
		if e.command {
			continue
		}
		shown = append(shown, app.Flag{Name: e.Name, Value: f.shownValue(e), IsSet: e.Changed})
	}
	return shown
}

func (f *flags) shownValue(e *entry) string {
	switch {
	case f.isSecret(e):
		return masked
	case e.Name == "rule":
		return shownRuleFiles(f.ruleFiles.items)
	case e.Name == "notifier.config":
		return shownRuleFiles([]string{f.options.Notifier.Config})
	case e.Name == "tlsAutocertDirectoryURL":
		return shownRuleFiles([]string{f.options.HTTP.Server.Autocert.DirectoryURL})
	default:
		return e.Value.String()
	}
}

// isSecret reports whether the value of e is hidden. As in vmalert, a flag is
// hidden for a telling name, too, such as that of a file with a password.
func (f *flags) isSecret(e *entry) bool {
	name := strings.ToLower(e.Name)
	tellsName := slices.ContainsFunc([]string{"pass", "key", "secret", "token"}, func(word string) bool {
		return strings.Contains(name, word)
	})
	asked := slices.ContainsFunc(f.secretFlags.items, func(flag string) bool {
		return strings.EqualFold(flag, e.Name)
	})
	return e.secret || tellsName || asked || f.isHiddenURL(e.Name)
}

func (f *flags) isHiddenURL(name string) bool {
	o := &f.options
	switch name {
	case "datasource.url":
		return !o.Datasource.ShowURL
	case "remoteRead.url":
		return !o.RemoteRead.ShowURL
	case "remoteWrite.url":
		return !o.RemoteWrite.ShowURL
	case "notifier.url":
		return !o.Notifier.ShowURL
	}
	return false
}

// shownRuleFiles lists rule files without the user information and the queries
// of the URLs among them, where access tokens are.
func shownRuleFiles(files []string) string {
	shown := make([]string, len(files))
	for i, file := range files {
		shown[i] = file
		if strings.HasPrefix(file, "http://") || strings.HasPrefix(file, "https://") {
			shown[i] = httpx.RedactURL(file)
		}
	}
	return joinList(shown)
}
