package io.vmm4j.api;

import java.util.List;

/**
 * What an expectation found.
 *
 * @param pattern the index of the pattern that matched, 0 but for {@link Console#expectAny}
 * @param before the text between the previous match and this one
 * @param text the match
 * @param groups the groups of a pattern, from 1; a group that took no part is empty
 */
public record ConsoleMatch(int pattern, String before, String text, List<String> groups) {}
