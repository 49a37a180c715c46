package io.vmm4j.software.machinecode;

/**
 * How flags that have not been saved can be computed again from registers: the operation that set
 * them, whose operands, or result, are still there.
 *
 * @param operation what set them
 * @param size of its operands
 * @param result the guest's register with the result (of a compare or test: the first operand)
 * @param source the guest's register with the second operand, or -1 if it is {@code immediate}
 * @param immediate the second operand
 */
record FlagRecipe(Operation operation, int size, int result, int source, long immediate) {
  /** What can be repeated. */
  enum Operation {
    /** The result of an addition. */
    ADD,

    /** The result of a subtraction. */
    SUBTRACT,

    /** Two operands that were compared. */
    COMPARE,

    /** Two operands that were tested. */
    TEST,

    /** The result of AND, OR or XOR. */
    LOGIC,

    /** The result of a negation. */
    NEGATE
  }

  /** Whether a change of a register of the guest makes it useless. */
  boolean uses(int register) {
    return result == register || source == register;
  }
}
