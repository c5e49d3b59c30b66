package main

import (
	"runtime"
	"slices"
	"strings"
	"time"
)

// addUnusedFlags defines what vmalert has from what it shares with a database:
// caches, files and searches that there are none of here. Command lines with them
// go on working.
func (f *flags) addUnusedFlags() {
	f.topic = topicUnused
	// Their values are kept apart, as each is shown under its own name.
	var ignored struct {
		misses, files, internLen, searches int
		fadvise, mincore, mmap, intern     bool
		internExpiry, searchWait           time.Duration
		cacheBytes                         int64
		cachePercent                       float64
	}
	const help = "Accepted and not used, as there is nothing that it would set"
	f.int(&ignored.misses, "blockcache.missesBeforeCaching", 2, help)
	f.bool(&ignored.fadvise, "filestream.disableFadvise", false, help)
	f.bool(&ignored.mincore, "fs.disableMincore", false, help)
	f.bool(&ignored.mmap, "fs.disableMmap", false, help)
	f.int(&ignored.files, "fs.maxConcurrency", 16*runtime.GOMAXPROCS(0), help).defaultDoc = "16 times the CPUs"
	f.duration(&ignored.internExpiry, "internStringCacheExpireDuration", 6*time.Minute, help)
	f.bool(&ignored.intern, "internStringDisableCache", false, help)
	f.int(&ignored.internLen, "internStringMaxLen", 500, help)
	f.size(&ignored.cacheBytes, "memory.allowedBytes", 0, help)
	f.float(&ignored.cachePercent, "memory.allowedPercent", 60, help)
	f.int(&ignored.searches, "promscrape.discovery.concurrency", 100, help)
	f.duration(&ignored.searchWait, "promscrape.discovery.concurrentWaitTime", time.Minute, help)
}

// unused warns, once for each reason, of flags that were given to no avail.
func (f *flags) unused() []string {
	var warnings []string
	for _, why := range []struct {
		topic  topic
		reason string
	}{
		{topicLicence, "tocsin needs no licence"},
		{topicUnused, "there is nothing to be set by them"},
	} {
		given := f.where(func(e *entry) bool { return e.topic == why.topic && e.Changed })
		if len(given) == 0 {
			continue
		}
		names := make([]string, len(given))
		for i, e := range given {
			names[i] = "-" + e.Name
		}
		slices.Sort(names)
		warnings = append(warnings, strings.Join(names, ", ")+": not used, as "+why.reason)
	}
	return warnings
}
