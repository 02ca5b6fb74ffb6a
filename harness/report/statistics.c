/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/statistics.h"

#include "base/each.h"
#include "record/words.h"
#include "report/grid.h"
#include "report/many.h"

/*
 * As Linux 6.1 counts them (arch/x86/kvm), which 7.3 does too, in functions that may have other
 * names; what a line does not have is left out.
 */
static const struct {
	const char *name, *meaning, *source;
} all[] = {
	{ "pf_taken", "Page faults and EPT violations of L2 that KVM's MMU looked into.",
	  "kvm_mmu_do_page_fault()" },
	{ "pf_fixed", "Of pf_taken, those where KVM set an entry of its page tables.",
	  "kvm_mmu_do_page_fault()" },
	{ "pf_guest", "Page faults that L2's own page tables ask for: KVM gave them to L2.",
	  "kvm_inject_page_fault()" },
	{ "pf_emulate",
	  "Of pf_taken, those left to KVM's emulator: a write to a page table or a ROM, a device.",
	  "kvm_mmu_do_page_fault()" },
	{ "pf_spurious",
	  "Of pf_taken, those where the entry was right: the TLB was old, or a vCPU faster.",
	  "kvm_mmu_do_page_fault()" },
	{ "pf_fast", "Of pf_taken, those, mended or spurious, that took no lock of KVM's MMU.",
	  "fast_page_fault()" },
	{ "pf_mmio_spte_created",
	  "Entries for what is no memory of L2's, such as a device: each access exits.",
	  "mmu_set_spte(), tdp_mmu_map_handle_target_level()" },
	{ "invlpg",
	  "INVLPG of L2, and INVPCID of one address, which KVM did to its own page tables.",
	  "kvm_mmu_invlpg(), kvm_mmu_invpcid_gva()" },
	{ "tlb_flush", "Flushes of what a TLB knows of L2: of all, or of the page tables in use.",
	  "kvm_vcpu_flush_tlb_all(), _guest(), _current()" },
	{ "insn_emulation", "Instructions of L2 that KVM's emulator decoded.",
	  "x86_decode_emulated_instruction()" },
	{ "mmu_pte_write",
	  "Writes of KVM's emulator to L2's memory while there are shadow page tables.",
	  "kvm_mmu_pte_write()" },
	{ "mmu_pde_zapped",
	  "Shadow entries above the last level that such a write, of not 0, made KVM clear.",
	  "kvm_mmu_pte_write()" },
	{ "mmu_flooded",
	  "Shadow page tables given up, because L2 seemed to use the page for other data.",
	  "kvm_mmu_pte_write()" },
	{ "mmu_shadow_zapped", "Shadow page tables that were thrown away.",
	  "__kvm_mmu_prepare_zap_page()" },
	{ "mmu_recycled", "Shadow page tables thrown away to make room.",
	  "kvm_mmu_zap_oldest_mmu_pages()" },
	{ "mmu_cache_miss", "Shadow page tables that had to be made.",
	  "kvm_mmu_find_shadow_page()" },
	{ "mmu_unsync",
	  "Shadow page tables that may differ from L2's until the next flush, at the end.",
	  "kvm_unsync_page()" },
	{ "pages_4k", "Entries of KVM's page tables that map 4 KiB, at the end.",
	  "kvm_update_page_stats()" },
	{ "pages_2m", "The same of 2 MiB.", "kvm_update_page_stats()" },
	{ "pages_1g", "The same of 1 GiB.", "kvm_update_page_stats()" },
	{ "nx_lpage_splits",
	  "Huge pages that are split at the end, because code in them could stop the CPU.",
	  "account_huge_nx_page()" },
	{ "exits", "Exits in all, of the operations and of the sending of the counts, too.",
	  "vcpu_enter_guest()" },
};

const char *statistic_meaning(const char *name, const char **source)
{
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		if (!g_str_equal(all[i].name, name))
			continue;
		*source = all[i].source;
		return all[i].meaning;
	}
	return NULL;
}

static struct record_u64 value_of(const struct record_run *run, const char *name)
{
	const struct record_statistic *one = record_find_statistic(run->mmu.vcpu, name);

	if (one == NULL)
		one = record_find_statistic(run->mmu.vm, name);
	return one != NULL ? record_u64_from(one->value) : (struct record_u64){ .known = false };
}

static void row_clear(gpointer row)
{
	g_free(((struct statistic_row *)row)->values);
}

GArray *statistic_rows(const GPtrArray *runs)
{
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct statistic_row));

	g_array_set_clear_func(rows, row_clear);
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		struct statistic_row row = {
			.name = all[i].name,
			.meaning = all[i].meaning,
			.source = all[i].source,
			.values = g_new0(struct record_u64, runs->len),
		};
		bool seen = false;

		for (guint run = 0; run < runs->len; run++) {
			row.values[run] = value_of(runs->pdata[run], all[i].name);
			seen |= row.values[run].value != 0;
		}
		if (seen)
			g_array_append_val(rows, row);
		else
			row_clear(&row);
	}
	return rows;
}

char *statistic_notes(const struct report *report)
{
	g_autoptr(GPtrArray) runs = many_runs(report);
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	bool known = false;

	each (const struct record_run, run, runs)
		known |= run->mmu.known;
	if (!known)
		return NULL;
	for (guint i = 0; i < runs->len; i++) {
		const struct record_run *run = runs->pdata[i];

		if (run->mmu.error != NULL)
			return g_strdup_printf("%s: there are no statistics (%s).",
					       many_label(comparisons, i), run->mmu.error);
	}
	return g_strdup(
		"KVM's own statistics, from L2's start until it stood still: the boot, the "
		"operations, and the sending of what was counted. The functions are those of Linux "
		"6.1. Left out: those that are 0, and most that are not about page tables; the "
		"record has all.");
}

static char *number_words(struct record_u64 number)
{
	return number.known ? words_count(number.value) : g_strdup("");
}

char **statistic_cells(const struct report *report, const struct statistic_row *row)
{
	g_autoptr(GPtrArray) runs = many_runs(report);
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	char **cells = g_new0(char *, runs->len + 3);

	cells[0] = g_strdup(row != NULL ? row->name : "KVM's statistic");
	for (guint i = 0; i < runs->len; i++)
		cells[i + 1] = row != NULL ? number_words(row->values[i])
					   : g_strdup(many_label(comparisons, i));
	cells[runs->len + 1] = row != NULL ? g_strdup_printf("%s %s", row->meaning, row->source)
					   : g_strdup("what it counts, and where");
	return cells;
}

void statistics_put(const struct screen *screen, const struct report *report)
{
	g_autoptr(GPtrArray) runs = many_runs(report);
	g_autoptr(GArray) rows = statistic_rows(runs);
	g_autofree char *notes = statistic_notes(report);
	g_auto(GStrv) names = statistic_cells(report, NULL);
	const guint count = g_strv_length(names);
	g_autofree struct grid_column *columns = g_new0(struct grid_column, count);
	g_autoptr(struct_grid) grid = NULL;

	if (notes == NULL)
		return;
	g_string_append_c(screen->out, '\n');
	for (guint i = 0; i < count; i++)
		columns[i] = (struct grid_column){
			.heading = names[i],
			.left = i == 0 || i == count - 1,
			.optional = i == count - 1,
			.most = i == 0		? 24
				: i < count - 1 ? 26
						: 0,
		};
	if (rows->len > 0) {
		grid = grid_new(columns, count);
		for (guint i = 0; i < rows->len; i++) {
			g_auto(GStrv) cells = statistic_cells(
				report, &g_array_index(rows, struct statistic_row, i));

			grid_add(grid, (const char *const *)cells);
		}
		grid_put(grid, screen->out, screen->width);
		g_string_append_c(screen->out, '\n');
	}
	screen_paragraph(screen, 0, 0, notes);
}
