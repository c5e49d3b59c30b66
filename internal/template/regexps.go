package template

import (
	"regexp"
	"sync"
)

// maxRegexps bounds the cache: patterns come from texts, and only by printf
// from data, so a configuration has few.
const maxRegexps = 256

// regexpCache remembers compiled expressions by pattern.
type regexpCache struct {
	mu       sync.RWMutex // guards the fields below
	compiled map[string]*regexp.Regexp
}

func newRegexpCache() *regexpCache {
	return &regexpCache{compiled: make(map[string]*regexp.Regexp)}
}

// get returns the compiled pattern or the error of regexp.Compile.
func (c *regexpCache) get(pattern string) (*regexp.Regexp, error) {
	c.mu.RLock()
	re := c.compiled[pattern]
	c.mu.RUnlock()
	if re != nil {
		return re, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	if len(c.compiled) < maxRegexps {
		c.compiled[pattern] = re
	}
	c.mu.Unlock()
	return re, nil
}
