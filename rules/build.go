package rules

import (
	"slices"

	"tocsin/config"
)

// withOthers returns files with those added, as bad ones, that groups which run or
// ran are from.
func (m *Manager) withOthers(files []PlanFile) []PlanFile {
	known := make(map[string]bool, len(files))
	for i := range files {
		known[files[i].Name] = true
	}
	all := slices.Clone(files)
	add := func(name string) {
		if !known[name] {
			known[name] = true
			all = append(all, PlanFile{Name: name, Bad: true})
		}
	}
	for _, r := range m.running {
		add(r.cfg.Key.File)
	}
	for i := range m.dormant {
		add(m.dormant[i].cfg.Key.File)
	}
	return all
}

// builder builds the groups of a plan.
type builder struct {
	plan     *Plan
	running  map[config.Key]*running
	bad      map[string]bool // files, by name, that keep the groups they have
	problems []*RuleError
}

// build returns a slot for each group of the plan, file by file.
func (b *builder) build() [][]slot {
	built := make([][]slot, len(b.plan.Files))
	for i := range b.plan.Files {
		f := &b.plan.Files[i]
		if f.Bad {
			b.bad[f.Name] = true
			continue
		}
		built[i] = make([]slot, len(f.Groups))
		for j := range f.Groups {
			built[i][j] = b.group(&f.Groups[j])
		}
	}
	return built
}

// group returns the running group that is as cfg says, or else builds it.
func (b *builder) group(cfg *config.Group) slot {
	prev := b.running[cfg.Key]
	if prev != nil && prev.deps.Templates.Digest() == b.plan.Deps.Templates.Digest() && prev.cfg.Equal(cfg) {
		return slot{kept: prev}
	}
	// The group gets a copy, so that it does not hold on to all the others.
	next, err := NewGroup(new(*cfg), b.plan.Deps)
	if err != nil && !b.plan.Lenient {
		b.bad[cfg.Key.File] = true
		b.problems = append(b.problems, ruleErrors(err)...)
	}
	return slot{next: next}
}

// place puts the groups in order. A bad file keeps those it has.
func (sw *swap) place(p *Plan, bad map[string]bool, built [][]slot, running []*running) {
	for i := range p.Files {
		name := p.Files[i].Name
		keeps, isBad := bad[name]
		if !isBad {
			sw.slots = append(sw.slots, built[i]...)
			continue
		}
		if !keeps {
			continue // another file of that name was here before
		}
		bad[name] = false
		for _, r := range running {
			if r.cfg.Key.File == name {
				sw.slots = append(sw.slots, slot{kept: r})
			}
		}
	}
}
