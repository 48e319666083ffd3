package declared

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"slices"

	"github.com/manifoldmq/manifold/gateway/config"
)

// planSheet is the document of the plans that the API declares. No tenant has its name.
type planSheet struct {
	Plans []config.Plan `yaml:"plans"`
}

const planFile = "_plans" + suffix

// Plan gives what is declared under the name of a plan, and who has declared it.
func (b *Book) Plan(name string) (p config.Plan, source Source, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.frame.Plans, func(p config.Plan) bool { return p.Name == name })
	if i < 0 {
		return p, "", false
	}
	return b.frame.Plans[i], b.planSource(name), true
}

// planSource tells who has declared a plan; the caller holds b.mu.
func (b *Book) planSource(name string) Source {
	if slices.ContainsFunc(b.filePlans, func(p config.Plan) bool { return p.Name == name }) {
		return File
	}
	return API
}

// Plans gives what tenants may use by name, in the order of names.
func (b *Book) Plans() []config.Plan {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(slices.Values(b.frame.Plans), func(p, q config.Plan) int { return cmp.Compare(p.Name, q.Name) })
}

// PutPlan declares a plan. It holds for all tenants that name it.
func (b *Book) PutPlan(p config.Plan, terms Terms) ([]Difference, error) {
	return b.changePlan(p.Name, terms, func(rest []config.Plan) []config.Plan { return append(rest, p) })
}

// DeletePlan takes back a plan that no tenant names.
func (b *Book) DeletePlan(name string, terms Terms) ([]Difference, error) {
	if _, _, ok := b.Plan(name); !ok {
		return nil, ErrNotFound
	}
	return b.changePlan(name, terms, func(rest []config.Plan) []config.Plan { return rest })
}

// changePlan changes the API's plans; with gives them from those that have other names.
func (b *Book) changePlan(name string, terms Terms, with func(rest []config.Plan) []config.Plan) ([]Difference, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	is := slices.DeleteFunc(slices.Clone(b.apiPlans), func(p config.Plan) bool { return p.Name == name })
	is = with(is)
	was, now := planNamed(b.frame.Plans, name), planNamed(is, name)
	tag := ""
	if was != nil {
		tag = Tag(was)
	}
	if err := terms.met(tag); err != nil {
		return nil, err
	}
	if b.planSource(name) == File {
		if now != nil && config.Equal(was, now) {
			return nil, nil
		}
		return nil, ErrFile
	}
	frame := b.frame
	frame.Plans = mergedPlans(b.filePlans, is)
	if problems := frame.ValidatePlans(); len(problems) > 0 {
		i := slices.IndexFunc(frame.Plans, func(p config.Plan) bool { return p.Name == name })
		under, all := problems.Under(fmt.Sprintf("plans[%d]", i))
		if !all {
			under = problems
		}
		return nil, &Invalid{Problems: under}
	}
	edition := b.edition.Load()
	_, commit, err := b.prepare(edition, edition, &frame)
	if err != nil {
		return nil, err
	}
	all := planDifference(was, now)
	if terms.DryRun || len(all) == 0 {
		return all, nil
	}
	if err := b.folder.savePlans(is); err != nil {
		return nil, err
	}
	b.apiPlans, b.frame = is, frame
	commit()
	return all, nil
}

func planNamed(plans []config.Plan, name string) *config.Plan {
	for i := range plans {
		if plans[i].Name == name {
			return &plans[i]
		}
	}
	return nil
}

func planDifference(was, is *config.Plan) []Difference {
	d := Difference{List: "plans", Change: Altered}
	switch {
	case was == nil && is == nil:
		return nil
	case was == nil:
		d.Change, d.Name, was = Added, is.Name, new(config.Plan)
	case is == nil:
		d.Change, d.Name, is = Removed, was.Name, was
	default:
		d.Name = is.Name
	}
	if d.Fields = fieldsOf(was, is); d.Change == Altered && len(d.Fields) == 0 {
		return nil
	}
	return []Difference{d}
}

// mergedPlans puts plans together. Where both have one of a name, that of the file counts.
func mergedPlans(file, api []config.Plan) []config.Plan {
	all := slices.Clone(file)
	for _, p := range api {
		if planNamed(file, p.Name) == nil {
			all = append(all, p)
		}
	}
	return all
}

// changedPlans names the plans that differ between two configurations.
func changedPlans(was, is []config.Plan) map[string]bool {
	changed := make(map[string]bool)
	for _, plans := range [][]config.Plan{was, is} {
		for _, p := range plans {
			before, after := planNamed(was, p.Name), planNamed(is, p.Name)
			changed[p.Name] = before == nil || after == nil || !reflect.DeepEqual(before, after)
		}
	}
	return changed
}

// loadPlans reads the plans that the API has declared.
func (f *folder) loadPlans() ([]config.Plan, error) {
	file, err := f.fs.Open(f.fs.PathJoin(f.dir, planFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	var sheet planSheet
	_, err = config.ReadJSON(text, &sheet)
	return sheet.Plans, err
}

// savePlans puts the plans of the API on disk.
func (f *folder) savePlans(plans []config.Plan) error {
	return f.replace(f.fs.PathJoin(f.dir, planFile), config.JSON(planSheet{plans}, true))
}
