package rules

// fnv is a running FNV-64a hash; unlike hash/fnv it hashes strings without
// copying them.
type fnv uint64

func newFNV() fnv { return 14695981039346656037 }

func (h fnv) add(s string) fnv {
	for i := range len(s) {
		h = (h ^ fnv(s[i])) * 1099511628211
	}
	return h
}
