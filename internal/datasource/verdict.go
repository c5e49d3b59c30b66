package datasource

import (
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

var errMatrix = errors.New("result is a matrix where an instant vector is needed; does the expression end in a range?")

// verdict returns the answer, or why there is none.
func (d *decoder) verdict() (answer, error) {
	switch {
	case d.err != nil:
		return answer{}, d.err
	case d.status == "error":
		return answer{}, &remoteError{kind: d.errorType, text: d.errorText}
	case d.status != "success":
		return answer{}, fmt.Errorf("status of the answer is %q", d.status)
	}
	check := d.checkInstant
	if d.grid.given() {
		check = d.checkRange
	}
	if err := check(); err != nil {
		return answer{}, err
	}
	d.ans.size = d.offset()
	return d.ans, nil
}

// checkInstant compares the result of an instant query with its type, and takes
// over a scalar.
func (d *decoder) checkInstant() error {
	if d.resultType == "matrix" || d.shape == shapeMatrix {
		return errMatrix
	}
	switch d.resultType {
	case "vector":
		if d.shape == shapeNone || d.shape == shapeScalar {
			return errors.New("result does not hold the vector that resultType promises")
		}
	case "scalar":
		if d.shape != shapeScalar {
			return errors.New("result does not hold the scalar that resultType promises")
		}
		v, err := parseValue(d.scalarValue)
		if err != nil {
			return err
		}
		d.ans.Samples = []rules.Sample{{Labels: labels.EmptyLabels(), T: d.scalarTime, V: v}}
	default:
		return fmt.Errorf("result type is %q where vector or scalar is needed", d.resultType)
	}
	return nil
}

// checkRange compares the result of a range query with its type.
func (d *decoder) checkRange() error {
	if d.resultType != "matrix" {
		return noMatrix(d.resultType)
	}
	if d.shape != shapeMatrix && d.shape != shapeEmpty && d.shape != shapeNull {
		return errors.New("result does not hold the matrix that resultType promises")
	}
	return nil
}

func noMatrix(resultType string) error {
	return fmt.Errorf("result type is %q where matrix is needed", resultType)
}
