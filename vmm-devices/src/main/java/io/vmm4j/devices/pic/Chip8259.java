package io.vmm4j.devices.pic;

/**
 * One 8259A (Intel 231468, "8259A programmable interrupt controller"). A request latched by a
 * rising edge stays until it is acknowledged, even if its input falls before: so a pulse is enough,
 * and the spurious interrupt is left to level-triggered inputs and to masking.
 */
final class Chip8259 {
  /** What {@link #request} gives when there is none. */
  static final int NONE = -1;

  /** The input that is reported for a request that has gone. */
  private static final int SPURIOUS = 7;

  /** The master's input that the slave drives. */
  private static final int CASCADE = 2;

  private final boolean master;
  private final int levelCapable;

  private int pins;
  private int edges;
  private int inService;
  private int mask;
  private int levelTriggered;
  private boolean allLevelTriggered;
  private int vectorBase;
  private int lowestPriority;
  private boolean rotateOnAutoEoi;
  private boolean autoEoi;
  private boolean specialFullyNested;
  private boolean specialMask;
  private boolean readInService;
  private boolean poll;
  private int initializationWord;
  private boolean singleMode;
  private boolean expectsWord4;

  /**
   * A controller.
   *
   * @param levelCapable which inputs the ELCR may make level-triggered
   */
  Chip8259(boolean master, int levelCapable) {
    this.master = master;
    this.levelCapable = levelCapable;
  }

  /**
   * Everything masked: the datasheet leaves the state after power-on open, and this one gives no
   * interrupt to a guest that never initializes the controllers. Inputs keep their levels.
   */
  void reset() {
    edges = 0;
    inService = 0;
    mask = 0xFF;
    levelTriggered = 0;
    allLevelTriggered = false;
    vectorBase = 0;
    lowestPriority = 7;
    rotateOnAutoEoi = false;
    autoEoi = false;
    specialFullyNested = false;
    specialMask = false;
    readInService = false;
    poll = false;
    initializationWord = 0;
    singleMode = false;
    expectsWord4 = false;
  }

  void setPin(int input, boolean high) {
    int bit = 1 << input;
    if (!high) {
      pins &= ~bit;
    } else if ((pins & bit) == 0) {
      pins |= bit;
      edges |= bit;
    }
  }

  /** The input that asks for service and is of higher priority than all in service, or NONE. */
  int request() {
    int requests = requests() & ~mask;
    if (requests == 0) {
      return NONE;
    }
    int inhibiting = inService;
    if (specialMask) {
      inhibiting &= ~mask;
    }
    if (specialFullyNested && master) {
      inhibiting &= ~(1 << CASCADE);
    }
    int rank = highestRank(requests);
    return rank < highestRank(inhibiting) ? inputOfRank(rank) : NONE;
  }

  /** The INTA cycle: the input now in service; {@code SPURIOUS} without effect if none asks. */
  int acknowledge() {
    int input = request();
    if (input == NONE) {
      return SPURIOUS;
    }
    edges &= ~(1 << input);
    if (!autoEoi) {
      inService |= 1 << input;
    } else if (rotateOnAutoEoi) {
      lowestPriority = input;
    }
    return input;
  }

  int vector(int input) {
    return vectorBase + input;
  }

  /** A read of the even (0) or odd (1) port. */
  int read(int address) {
    if (poll) {
      poll = false;
      return request() == NONE ? SPURIOUS : 0x80 | acknowledge();
    }
    if (address == 1) {
      return mask;
    }
    return readInService ? inService : requests();
  }

  /** A write to the even (0) or odd (1) port. */
  void write(int address, int value) {
    if (address == 1) {
      writeOdd(value);
    } else if ((value & 0x10) != 0) {
      begin(value);
    } else if ((value & 0x08) != 0) {
      operationWord3(value);
    } else {
      operationWord2(value);
    }
  }

  int readEdgeLevelControl() {
    return levelTriggered;
  }

  void writeEdgeLevelControl(int value) {
    levelTriggered = value & levelCapable;
  }

  /** ICW1 (datasheet, "initialization command words 1 and 2"). */
  private void begin(int value) {
    edges = 0;
    inService = 0;
    mask = 0;
    lowestPriority = 7;
    specialMask = false;
    readInService = false;
    poll = false;
    rotateOnAutoEoi = false;
    expectsWord4 = (value & 0x01) != 0;
    singleMode = (value & 0x02) != 0;
    allLevelTriggered = (value & 0x08) != 0;
    if (!expectsWord4) {
      autoEoi = false;
      specialFullyNested = false;
    }
    initializationWord = 2;
  }

  private void writeOdd(int value) {
    switch (initializationWord) {
      case 2 -> {
        vectorBase = value & 0xF8;
        initializationWord = !singleMode ? 3 : expectsWord4 ? 4 : 0;
      }
      case 3 -> initializationWord = expectsWord4 ? 4 : 0;
      case 4 -> {
        autoEoi = (value & 0x02) != 0;
        specialFullyNested = (value & 0x10) != 0;
        initializationWord = 0;
      }
      default -> mask = value;
    }
  }

  /** OCW2: end of interrupt and rotation. */
  private void operationWord2(int value) {
    int input = value & 7;
    switch (value >> 5) {
      case 0 -> rotateOnAutoEoi = false;
      case 1 -> endHighest(false);
      case 3 -> inService &= ~(1 << input);
      case 4 -> rotateOnAutoEoi = true;
      case 5 -> endHighest(true);
      case 6 -> lowestPriority = input;
      case 7 -> {
        inService &= ~(1 << input);
        lowestPriority = input;
      }
      default -> {
        // 2 is "no operation".
      }
    }
  }

  private void endHighest(boolean rotate) {
    // In special mask mode a masked input in service is not cleared by a non-specific EOI.
    int candidates = specialMask ? inService & ~mask : inService;
    if (candidates == 0) {
      return;
    }
    int input = inputOfRank(highestRank(candidates));
    inService &= ~(1 << input);
    if (rotate) {
      lowestPriority = input;
    }
  }

  /** OCW3: poll, register select, special mask. */
  private void operationWord3(int value) {
    poll = (value & 0x04) != 0;
    if ((value & 0x02) != 0) {
      readInService = (value & 0x01) != 0;
    }
    if ((value & 0x40) != 0) {
      specialMask = (value & 0x20) != 0;
    }
  }

  private int requests() {
    int level = allLevelTriggered ? 0xFF : levelTriggered;
    return edges & ~level | pins & level;
  }

  /** The rank of the highest of some inputs, 0 the highest; 8 if there are none. */
  private int highestRank(int inputs) {
    int first = lowestPriority + 1 & 7;
    int rotated = (inputs | inputs << 8) >> first & 0xFF;
    return rotated == 0 ? 8 : Integer.numberOfTrailingZeros(rotated);
  }

  private int inputOfRank(int rank) {
    return rank + lowestPriority + 1 & 7;
  }

  PicState.Chip save() {
    return new PicState.Chip(
        pins,
        edges,
        inService,
        mask,
        levelTriggered,
        allLevelTriggered,
        vectorBase,
        lowestPriority,
        rotateOnAutoEoi,
        autoEoi,
        specialFullyNested,
        specialMask,
        readInService,
        poll,
        initializationWord,
        singleMode,
        expectsWord4);
  }

  void restore(PicState.Chip state) {
    pins = state.pins();
    edges = state.edges();
    inService = state.inService();
    mask = state.mask();
    levelTriggered = state.levelTriggered() & levelCapable;
    allLevelTriggered = state.allLevelTriggered();
    vectorBase = state.vectorBase();
    lowestPriority = state.lowestPriority();
    rotateOnAutoEoi = state.rotateOnAutoEoi();
    autoEoi = state.autoEoi();
    specialFullyNested = state.specialFullyNested();
    specialMask = state.specialMask();
    readInService = state.readInService();
    poll = state.poll();
    initializationWord = state.initializationWord();
    singleMode = state.singleMode();
    expectsWord4 = state.expectsWord4();
  }
}
