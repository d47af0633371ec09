// Behind no-clean: one TLB invalidation for the whole VM, at the end of the unmap. Tables that the unmap
// takes out are freed behind it, chained by their first entries, which are no valid ones.
// Places: 10
@@
@@
 struct kvm_pgtable {
 	...
 	kvm_pgtable_force_pte_cb_t		force_pte_cb;
+	bool					reset;
+	kvm_pte_t				*unlinked;
 };

@@
@@
+static void stage2_unmap_pte(struct kvm_pgtable *pgt, kvm_pte_t *ptep, u64 addr, u32 level)
+{
+	if (!pgt->reset) {
+		stage2_put_pte(ptep, pgt->mmu, addr, level, pgt->mm_ops);
+		return;
+	}
+	kvm_clear_pte(ptep);
+	pgt->mm_ops->put_page(ptep);
+}
+
 static int stage2_unmap_walker(...)
 {
 	...
 }

@@
@@
+static void stage2_put_table(struct kvm_pgtable *pgt, kvm_pte_t *table)
+{
+	if (!pgt->reset) {
+		pgt->mm_ops->put_page(table);
+		return;
+	}
+	WRITE_ONCE(*table, (kvm_pte_t)pgt->unlinked);
+	pgt->unlinked = table;
+}
+
 static int stage2_unmap_walker(...)
 {
 	...
-	struct kvm_s2_mmu *mmu = pgt->mmu;
	...
-	stage2_put_pte(ptep, mmu, addr, level, mm_ops);
+	stage2_unmap_pte(pgt, ptep, addr, level);
 	...
 	if (childp)
-		mm_ops->put_page(childp);
+		stage2_put_table(pgt, childp);
 	...
 }

@@
@@
 stage2_reset_ipa(...)
 {
 	<...
-	stage2_apply_range_resched(kvm, start, end, stage2_reset_range)
+	stage2_apply_range(kvm, start, end, stage2_reset_range, false)
 	...>
 }

@@
@@
 stage2_reset_range(...)
 {
 	...
+	pgt->reset = true;
 	ret = kvm_pgtable_stage2_unmap(pgt, addr, size);
+	pgt->reset = false;
 	...
 }

@@
@@
+static void stage2_free_unlinked(struct kvm_pgtable *pgt)
+{
+	while (pgt->unlinked) {
+		kvm_pte_t *table = pgt->unlinked;
+
+		pgt->unlinked = (kvm_pte_t *)READ_ONCE(*table);
+		pgt->mm_ops->put_page(table);
+	}
+}
+
 void stage2_unmap_vm(struct kvm *kvm)
 {
 	...
+	/* mmu_lock was not given up since the first entry was cleared */
+	kvm_flush_remote_tlbs(kvm);
+	if (kvm->arch.mmu.pgt)
+		stage2_free_unlinked(kvm->arch.mmu.pgt);
 	write_unlock(&kvm->mmu_lock);
 	...
 }
