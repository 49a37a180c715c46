package io.vmm4j.software.differential;

import java.util.List;

/** Says what two outcomes of a case differ in. */
interface Comparer {
  /** The differences, each as "what ours/theirs"; none if the outcomes are equal. */
  List<String> of(Case c, Outcome ours, Outcome theirs);
}
